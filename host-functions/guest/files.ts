import { hostText, isQuickJs } from './engine.ts';
import { readFile as hostReadFile } from './host.ts';
import * as p from './primordials.ts';

/** Reads a mounted file as text (UTF-8) or as bytes. Rejects with an Error that has `code` and `hint`. */
export async function readFile(path: unknown, options?: { as?: unknown }): Promise<string | Uint8Array> {
  if (typeof path !== 'string') throw new p.NativeTypeError('readFile: path is not a string; it has the form "<mount>/<file>"');
  const as = options === undefined || options === null ? undefined : options.as;
  if (as !== undefined && as !== 'text' && as !== 'bytes') throw new p.NativeTypeError('readFile: as is not "text" or "bytes"');
  const bytes = read(path);
  return as === 'bytes' ? bytes : p.decodeUtf8(bytes);
}

/**
 * On SpiderMonkey the host's bytes and errors belong to the bindings' realm: both are copied, so that a program never gets hold of it.
 * QuickJS has one realm.
 */
function read(path: string): Uint8Array {
  let foreign: ArrayLike<number> & object;
  try {
    foreign = hostReadFile(hostText(path));
  } catch (thrown) {
    throw fileError(thrown);
  }
  return isQuickJs && p.typedArrayTag(foreign) === 'Uint8Array' ? (foreign as Uint8Array) : new p.NativeUint8Array(foreign);
}

function fileError(thrown: unknown): Error {
  const text = (thrown as { message?: unknown } | null)?.message;
  let details: Record<string, unknown> = {};
  try {
    details = p.parseJson(typeof text === 'string' ? text : '{}') as Record<string, unknown>;
  } catch {
    // Not the host's own form: the defaults say enough.
  }
  const member = (key: string): string | undefined =>
    p.hasOwn(details, key) && typeof details[key] === 'string' ? details[key] : undefined;
  const error = new p.NativeError(member('message') ?? 'the file could not be read');
  define(error, 'code', member('code') ?? 'ERR_FILE_NOT_FOUND');
  define(error, 'hint', member('hint'));
  return error;
}

function define(target: object, key: string, value: unknown): void {
  if (value !== undefined) p.defineProperty(target, key, p.plain({ value, writable: true, configurable: true, enumerable: true }));
}
