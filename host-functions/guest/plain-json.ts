import * as p from './primordials.ts';

let room = 0;

/**
 * Whether a value is made only of what JSON.stringify writes as it is, in at most about `maxChars` characters: then one native call
 * writes it, many times faster than a walk that can say what is wrong with every other kind of value. "No" is always a safe answer.
 */
export function isPlainJson(value: unknown, maxChars: number, maxDepth: number): boolean {
  room = maxChars;
  try {
    return isPlain(value, maxDepth);
  } catch {
    // A getter or a proxy that throws: the walk says where.
    return false;
  }
}

/** Whether the last value was refused because its JSON has more than `maxChars` characters, whatever else it is. */
export function wasTooLong(): boolean {
  return room < 0;
}

/** Takes off the least that each value has in JSON, so that where there is no room left the text would be too long. */
function isPlain(value: unknown, depth: number): boolean {
  room -= 1;
  if (room < 0) return false;
  switch (typeof value) {
    case 'number':
    case 'boolean':
      return true;
    case 'string':
      room -= value.length;
      return true;
    case 'object':
      if (value === null) return true;
      if (depth === 0) return false;
      return p.isArray(value) ? isPlainList(value as unknown[], depth - 1) : isPlainObject(value as Record<string, unknown>, depth - 1);
    case 'undefined':
    case 'bigint':
    case 'symbol':
    case 'function':
      return false;
  }
}

function isPlainList(list: readonly unknown[], depth: number): boolean {
  for (let i = 0; i < list.length; i++) if (!isPlain(list[i], depth)) return false;
  return true;
}

function isPlainObject(object: Record<string, unknown>, depth: number): boolean {
  const proto = p.getPrototypeOf(object);
  if (proto !== p.objectPrototype && proto !== null) return false;
  if (object['toJSON'] !== undefined) return false;
  const keys = p.objectKeys(object);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i];
    const member = object[key];
    if (member === undefined) continue;
    room -= key.length;
    if (!isPlain(member, depth)) return false;
  }
  return true;
}
