import { inspectMembers } from './inspect-members.ts';
import { MAX_STRING, type Inspection, primitiveText } from './inspect-text.ts';
import * as p from './primordials.ts';
import { programFrames } from './stack.ts';

/**
 * A value as text for a person, in the way of Node's inspect. Runs no getter and no toString of the program; a proxy whose
 * traps throw is shown as such. Bounded in depth, in members and in total length.
 */
export function inspect(value: unknown, depth = 4, maxLength = 65_536): string {
  const at: Inspection = { depth, left: maxLength, above: p.newList<unknown>(), show: (part) => inspectIn(part, at) };
  return inspectIn(value, at);
}

function inspectIn(value: unknown, at: Inspection): string {
  if (at.left <= 0) return '…';
  const text =
    typeof value === 'object' && value !== null
      ? objectText(value, at)
      : typeof value === 'function'
        ? functionText(value)
        : primitiveText(value);
  at.left -= text.length;
  return text;
}

function functionText(value: unknown): string {
  try {
    const name = ownString(value as object, 'name');
    const isClass = p.indexOf(p.functionToString(value), 'class') === 0;
    return isClass ? `[class ${name || '(anonymous)'}]` : `[Function${name === '' ? ' (anonymous)' : `: ${name}`}]`;
  } catch {
    return '[Function]';
  }
}

function objectText(value: object, at: Inspection): string {
  for (let i = 0; i < at.above.length; i++) if (at.above[i] === value) return '[Circular]';
  try {
    if (p.isError(value)) return errorText(value as Error, at);
    const name = className(value);
    if (at.above.length > at.depth) return p.isArray(value) ? '[Array]' : `[${name || 'Object: null prototype'}]`;
    p.push(at.above, value);
    try {
      return inspectMembers(value, name, at);
    } finally {
      at.above.length--;
    }
  } catch {
    return '[Proxy or object that cannot be read]';
  }
}

/** The name of the class of an object, from data properties only; "" without a prototype. */
function className(value: object): string {
  let proto = p.getPrototypeOf(value);
  for (let i = 0; proto !== null && i < 20; i++) {
    const descriptor = p.getOwnPropertyDescriptor(proto, 'constructor');
    if (descriptor !== undefined && p.hasOwn(descriptor, 'value') && typeof descriptor.value === 'function') {
      const name = ownString(descriptor.value as object, 'name');
      if (name !== '') return p.cut(name, 100);
    }
    proto = p.getPrototypeOf(proto);
  }
  return proto === null && p.getPrototypeOf(value) === null ? '' : 'Object';
}

/** A data property that is a string, "" otherwise. */
function ownString(holder: object, key: string): string {
  const descriptor = p.getOwnPropertyDescriptor(holder, key);
  return descriptor !== undefined && p.hasOwn(descriptor, 'value') && typeof descriptor.value === 'string' ? descriptor.value : '';
}

function errorText(error: Error, at: Inspection): string {
  const message = p.cut(ownString(error, 'message'), MAX_STRING);
  const name = ownString(error, 'name') || inheritedName(error);
  const frames = programFrames(error);
  const title = `${name}${message === '' ? '' : `: ${message}`}`;
  const head = frames === '' ? `[${title}]` : `${title}\n${frames}`;
  if (at.above.length > at.depth) return head;
  p.push(at.above, error);
  const members = inspectMembers(error, '', at);
  at.above.length--;
  return members === '{}' ? head : `${head} ${members}`;
}

function inheritedName(error: object): string {
  let proto = p.getPrototypeOf(error);
  for (let i = 0; proto !== null && i < 20; i++) {
    const own = ownString(proto, 'name');
    if (own !== '') return own === 'Error' && className(error) !== '' ? className(error) : own;
    proto = p.getPrototypeOf(proto);
  }
  return 'Error';
}
