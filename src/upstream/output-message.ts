import type { ErrorObject } from 'ajv';
import { isPlainKey } from '../plain-key.ts';

const MAX_BREAKS = 5;
const MAX_RULE_LENGTH = 120;
/** Errors that only say that others follow from them. */
const ECHOES = new Set(['if', 'not', 'anyOf', 'oneOf', 'allOf', 'propertyNames']);

/**
 * What of an answer breaks its schema, a line each: the field and the rule, never a value. Places in arrays are left out, so that a
 * thousand wrong items are one line.
 */
export function describeBreaks(errors: readonly ErrorObject[]): string[] {
  const plain = errors.filter((error) => !ECHOES.has(error.keyword));
  return [...new Set((plain.length > 0 ? plain : errors).map(describeBreak))].slice(0, MAX_BREAKS);
}

function describeBreak(error: ErrorObject): string {
  const path = pathOf(error.instancePath);
  const params: Readonly<Record<string, unknown>> = error.params;
  switch (error.keyword) {
    case 'required':
    case 'dependentRequired':
    case 'dependencies':
      return `${member(path, String(params['missingProperty']))} is missing`;
    case 'additionalProperties':
    case 'unevaluatedProperties':
      return `${member(path, String(params['additionalProperty'] ?? params['unevaluatedProperty']))} is not declared`;
    case 'enum':
    case 'const':
      return `${path} is none of the declared values`;
    case 'type':
      return `${path} is ${kindOf(error.data)}, declared as ${typesOf(error.schema)}`;
    case 'false schema':
      return `${path} is not declared`;
    default:
      return `${path} ${(error.message ?? 'is not valid').slice(0, MAX_RULE_LENGTH)}`;
  }
}

/** A JSON pointer as `result.items[].title`. */
function pathOf(pointer: string): string {
  const parts = pointer.split('/').slice(1);
  return parts.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~')).reduce(member, 'result');
}

/** A key that looks like data is not told: warnings are about shapes. */
function member(path: string, name: string): string {
  if (/^\d+$/u.test(name)) return `${path}[]`;
  return isPlainKey(name) ? `${path}.${name}` : `${path}[*]`;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function typesOf(schema: unknown): string {
  return (Array.isArray(schema) ? schema.join(' or ') : String(schema)).slice(0, MAX_RULE_LENGTH);
}
