/* oxlint-disable typescript/unbound-method -- taken off their owners on purpose, as in primordials.ts */
import { type Inspection, keyText, primitiveText, wrap } from './inspect-text.ts';
import * as p from './primordials.ts';

const MAX_MEMBERS = 100;
const indexPattern = /^(?:0|[1-9]\d*)$/;

/** The text of an object's members behind the name of its class. May throw what a proxy's traps throw. */
export function inspectMembers(value: object, name: string, at: Inspection): string {
  if (p.isArray(value)) return wrap(name === 'Array' ? '' : name, '[', arrayParts(value, at), ']');
  const proto = p.getPrototypeOf(value);
  if (proto === p.objectPrototype || name === '') return wrap(prefixOf(value, name), '{', memberParts(value, at, false), '}');
  return specialText(value, name, at) ?? wrap(name, '{', memberParts(value, at, false), '}');
}

function prefixOf(value: object, name: string): string {
  if (p.isError(value) || name === 'Object') return '';
  return name === '' ? '[Object: null prototype]' : name;
}

function specialText(value: object, name: string, at: Inspection): string | undefined {
  if (p.isKind(p.mapSize, value)) return wrap(`${name}(${String(p.mapSize(value))})`, '{', mapParts(value, at), '}');
  if (p.isKind(p.setSize, value)) return wrap(`${name}(${String(p.setSize(value))})`, '{', setParts(value, at), '}');
  const tag = p.typedArrayTag(value);
  if (tag !== undefined) return wrap(`${name}(${String(p.typedArrayLength(value))})`, '[', typedParts(value, at), ']');
  if (p.isKind(p.dateGetTime, value)) return p.isInteger(p.dateGetTime(value)) ? p.dateToISOString(value) : 'Invalid Date';
  if (isRegExp(value)) return `/${String(p.regExpSource(value))}/${String(p.regExpFlags(value))}`;
  if (p.isKind(p.bufferByteLength, value)) return `${name} { byteLength: ${String(p.bufferByteLength(value))} }`;
  if (p.isKind(p.viewByteLength, value)) return `${name} { byteLength: ${String(p.viewByteLength(value))} }`;
  if (p.isKind(weakMapBrand, value) || p.isKind(weakSetBrand, value)) return `${name} { <items unknown> }`;
  return boxedText(value, name);
}

const weakMapBrand = (value: unknown): unknown => p.weakMapHas(value, value as never);
const weakSetBrand = (value: unknown): unknown => p.weakSetHas(value, value as never);
const expOf = p.uncurry(RegExp.prototype.toString);

function isRegExp(value: object): boolean {
  // `source` answers for RegExp.prototype too, which has no text of its own.
  return value !== RegExp.prototype && p.isKind(p.regExpSource, value) && p.isKind(expOf, value);
}

function boxedText(value: object, name: string): string | undefined {
  const brands = p.newList<(self: unknown) => unknown>();
  p.push(brands, p.stringValueOf);
  p.push(brands, p.numberValueOf);
  p.push(brands, p.booleanValueOf);
  p.push(brands, p.bigintValueOf);
  p.push(brands, p.symbolValueOf);
  for (let i = 0; i < brands.length; i++) {
    try {
      return `[${name}: ${primitiveText(brands[i](value))}]`;
    } catch {
      // Not that kind.
    }
  }
  return undefined;
}

function arrayParts(value: object, at: Inspection): p.List<string> {
  const parts = p.newList<string>();
  const length = dataValue(value, 'length') as number;
  let holes = 0;
  let i = 0;
  for (; i < length && parts.length < MAX_MEMBERS && at.left > 0 && i < 100_000; i++) {
    const descriptor = p.getOwnPropertyDescriptor(value, i);
    if (descriptor === undefined) {
      holes++;
      continue;
    }
    flushHoles(parts, holes);
    holes = 0;
    p.push(parts, descriptorText(descriptor, at));
  }
  flushHoles(parts, holes);
  if (i < length) p.push(parts, more(length - i, 'item'));
  return memberParts(value, at, true, parts);
}

function flushHoles(parts: p.List<string>, holes: number): void {
  if (holes > 0) p.push(parts, `<${holes} empty item${holes === 1 ? '' : 's'}>`);
}

function typedParts(value: object, at: Inspection): p.List<string> {
  const parts = p.newList<string>();
  const length = p.typedArrayLength(value) as number;
  for (let i = 0; i < length && i < MAX_MEMBERS; i++) p.push(parts, at.show((value as ArrayLike<unknown>)[i]));
  if (length > MAX_MEMBERS) p.push(parts, more(length - MAX_MEMBERS, 'item'));
  return parts;
}

function mapParts(value: object, at: Inspection): p.List<string> {
  const parts = p.newList<string>();
  p.mapForEach(value, ((item: unknown, key: unknown) => {
    if (parts.length < MAX_MEMBERS && at.left > 0) p.push(parts, `${at.show(key)} => ${at.show(item)}`);
  }) as never);
  const size = p.mapSize(value) as number;
  if (size > parts.length) p.push(parts, more(size - parts.length, 'item'));
  return memberParts(value, at, false, parts);
}

function setParts(value: object, at: Inspection): p.List<string> {
  const parts = p.newList<string>();
  p.setForEach(value, ((item: unknown) => {
    if (parts.length < MAX_MEMBERS && at.left > 0) p.push(parts, at.show(item));
  }) as never);
  const size = p.setSize(value) as number;
  if (size > parts.length) p.push(parts, more(size - parts.length, 'item'));
  return memberParts(value, at, false, parts);
}

function memberParts(value: object, at: Inspection, skipIndexes: boolean, parts = p.newList<string>()): p.List<string> {
  const keys = p.ownKeys(value);
  let shown = 0;
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i];
    if (skipIndexes && typeof key === 'string' && p.regExpExec(indexPattern, key) !== null) continue;
    const descriptor = p.getOwnPropertyDescriptor(value, key);
    if (descriptor === undefined || descriptor.enumerable !== true) continue;
    if (++shown > MAX_MEMBERS || at.left <= 0) {
      p.push(parts, more(keys.length - i, 'member'));
      break;
    }
    const text = keyText(key);
    at.left -= text.length;
    p.push(parts, `${text}: ${descriptorText(descriptor, at)}`);
  }
  return parts;
}

function descriptorText(descriptor: PropertyDescriptor, at: Inspection): string {
  if (p.hasOwn(descriptor, 'value')) return at.show(descriptor.value);
  if (descriptor.get === undefined) return '[Setter]';
  return descriptor.set === undefined ? '[Getter]' : '[Getter/Setter]';
}

function dataValue(holder: object, key: string): unknown {
  const descriptor = p.getOwnPropertyDescriptor(holder, key);
  return descriptor !== undefined && p.hasOwn(descriptor, 'value') ? descriptor.value : undefined;
}

function more(count: number, what: string): string {
  return `... ${count} more ${what}${count === 1 ? '' : 's'}`;
}
