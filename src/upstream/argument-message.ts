import type { ErrorObject } from 'ajv';
import { nearestName } from '../nearest-name.ts';

const MAX_ERRORS = 5;
const MAX_LISTED = 30;
const MAX_VALUE_LENGTH = 60;
/** Errors that only say that others follow from them. */
const ECHOES = new Set(['if', 'not', 'anyOf', 'oneOf', 'allOf', 'propertyNames']);

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * What is wrong with the arguments of a call, for the agent that wrote it: up to five findings in one line.
 * @param hide what a value is shown as
 */
export function describeErrors(errors: readonly ErrorObject[], hide?: (value: unknown) => unknown): string {
  const plain = errors.filter((error) => !ECHOES.has(error.keyword));
  const told = (plain.length > 0 ? plain : errors).map((error) => (hide === undefined ? error : hidden(error, hide)));
  const findings = [...new Set(told.map(describeError))];
  const more = findings.length > MAX_ERRORS ? ` (and ${findings.length - MAX_ERRORS} more)` : '';
  return `${findings.slice(0, MAX_ERRORS).join('; ')}${more}`;
}

/** The properties that a tool takes, with their types. */
export function describeProperties(tool: string, schema: JsonObject): string {
  const properties = Object.entries(objectOf(schema['properties']));
  if (properties.length === 0) return `The input schema of ${tool} names no properties.`;
  const required = new Set(listOf(schema['required']));
  const shown = properties.slice(0, MAX_LISTED).map(([name, property]) => {
    const notes = [typeName(property), ...(required.has(name) ? ['required'] : [])].filter((note) => note !== '');
    return notes.length > 0 ? `${name} (${notes.join(', ')})` : name;
  });
  const more = properties.length > MAX_LISTED ? `, and ${properties.length - MAX_LISTED} more` : '';
  return `${tool} takes: ${shown.join(', ')}${more}.`;
}

/** Of lists and objects no more than their size is told. */
function hidden(error: ErrorObject, hide: (value: unknown) => unknown): ErrorObject {
  return typeof error.data === 'object' ? error : { ...error, data: hide(error.data) };
}

function describeError(error: ErrorObject): string {
  const path = pathText(error.instancePath);
  const params: JsonObject = error.params;
  switch (error.keyword) {
    case 'required':
    case 'dependentRequired':
    case 'dependencies':
      return missing(path, String(params['missingProperty']), error);
    case 'additionalProperties':
    case 'unevaluatedProperties':
      return unknown(path, String(params['additionalProperty'] ?? params['unevaluatedProperty']), error);
    case 'enum':
      return `${path} must be one of ${valueList(listOf(error.schema))} (got ${shown(error.data)}${meant(error)})`;
    case 'const':
      return `${path} must be ${shown(error.schema)} (got ${shown(error.data)})`;
    case 'type':
      return `${path} must be ${listOf(error.schema).join(' or ') || String(error.schema)} (got ${shown(error.data)})`;
    case 'uniqueItems':
      return `${path} must not have the same item twice`;
    case 'false schema':
      return `${path} is not allowed`;
    default:
      return `${path} ${error.message ?? 'is not valid'} (got ${shown(error.data)})`;
  }
}

function missing(path: string, name: string, error: ErrorObject): string {
  const known = Object.keys(objectOf(error.parentSchema?.['properties']));
  const strays = Object.keys(objectOf(error.data)).filter((key) => !known.includes(key));
  const near = nearestName(name, strays);
  return near === undefined ? `${member(path, name)} is missing` : `${member(path, name)} is missing (there is ${shown(near)} instead)`;
}

function unknown(path: string, name: string, error: ErrorObject): string {
  const near = nearestName(name, Object.keys(objectOf(error.parentSchema?.['properties'])));
  return `${member(path, name)} is not a property that it takes${near === undefined ? '' : ` (did you mean ${shown(near)}?)`}`;
}

function meant(error: ErrorObject): string {
  const words = listOf(error.schema).filter((value) => typeof value === 'string');
  const near = typeof error.data === 'string' ? nearestName(error.data, words) : undefined;
  return near === undefined ? '' : `, did you mean ${shown(near)}?`;
}

/** A JSON pointer as the agent would write it: `arguments.labels[0]`. */
function pathText(pointer: string): string {
  const parts = pointer.split('/').slice(1);
  const names = parts.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  return names.reduce(member, 'arguments');
}

function member(path: string, name: string): string {
  if (/^\d+$/.test(name)) return `${path}[${name}]`;
  return /^[A-Za-z_$][\w$]{0,99}$/.test(name) ? `${path}.${name}` : `${path}[${shown(name)}]`;
}

function typeName(property: unknown): string {
  const schema = objectOf(property);
  if (Array.isArray(schema['enum'])) return valueList(schema['enum']);
  return listOf(schema['type']).join(' or ') || (typeof schema['type'] === 'string' ? schema['type'] : '');
}

function valueList(values: readonly unknown[]): string {
  const more = values.length > MAX_LISTED ? `, and ${values.length - MAX_LISTED} more` : '';
  return `${values.slice(0, MAX_LISTED).map(shown).join(', ')}${more}`;
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(typeof value === 'string' ? value.slice(0, MAX_VALUE_LENGTH + 1) : value) ?? 'undefined';
  return text.length > MAX_VALUE_LENGTH ? `${text.slice(0, MAX_VALUE_LENGTH)}..."` : text;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function objectOf(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}
