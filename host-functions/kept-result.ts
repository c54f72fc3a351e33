import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { HostFunctionError } from './host-error.ts';
import { findItems, findLines, type Part, type ReadAt } from './kept-parts.ts';

/** What a kept result is counted in: the items of a list, the lines of a text, or bytes. */
export type KeptUnit = 'items' | 'lines' | 'bytes';

/** What stands beside a kept result, as JSON in `<id>.json`. */
export interface KeptForm {
  readonly version: 1;
  readonly mimeType: string;
  readonly bytes: number;
  readonly unit: KeptUnit;
  /** How many items, lines or bytes there are. */
  readonly total: number;
  /** Number and place in bytes of some parts in rising order, so that a later one is found without reading all before it. */
  readonly marks: readonly (readonly [number: number, at: number])[];
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** A part of a kept result that is asked for. */
export interface PieceRequest {
  readonly offset: number;
  /** Most parts. Default: as many as there is room for. */
  readonly limit?: number | undefined;
  /** "bytes" counts in bytes whatever the result is. */
  readonly unit?: 'bytes' | undefined;
}

/** The parts of a piece: whole items of a list as one list, whole lines, or bytes on the borders of characters. */
export interface Piece {
  readonly bytes: Uint8Array;
  readonly unit: KeptUnit;
  readonly offset: number;
  readonly shown: number;
  readonly total: number;
}

export const KEPT_ID = /^[0-9a-f]{32}$/;
/** The largest form that is read: some thousand marks. */
const MAX_FORM_BYTES = 256 * 1024;
const MAX_PATH = 256;
/** Neither of the last two exists on Windows. */
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0);

/**
 * The program's `readFile("results/<id>")`, whole, or with `?offset=0&limit=100` a piece of it.
 * @param folder of the principal's results; undefined when there is none
 * @param path what follows "results/"
 * @throws HostFunctionError ERR_RESULT_UNKNOWN, ERR_FILE_PATH, ERR_FILE_TOO_LARGE
 */
export function readKeptResult(folder: string | undefined, path: string, maxBytes: number): Uint8Array {
  const [id, query] = path.slice(0, MAX_PATH).split('?', 2) as [string, string?];
  const form = folder === undefined ? undefined : readKeptForm(folder, id, Date.now());
  if (folder === undefined || !form) throw unknownResult();
  if (query !== undefined) return readPiece(folder, id, form, parsePiece(query), maxBytes).bytes;
  if (form.bytes <= maxBytes) return readPiece(folder, id, form, { offset: 0, unit: 'bytes' }, maxBytes).bytes;
  const hint = `read it in pieces: readFile("results/${id}?offset=0&limit=100") gives ${form.unit} 0 to 99 of ${form.total}`;
  throw new HostFunctionError('ERR_FILE_TOO_LARGE', `readFile: the kept result has ${form.bytes} bytes, more than ${maxBytes}`, hint);
}

/** The one answer to everybody who may not read a result, whatever the reason. */
export function unknownResult(): HostFunctionError {
  const message = 'There is no kept result by that id: it was never kept, its time is over, or it is not yours.';
  return new HostFunctionError('ERR_RESULT_UNKNOWN', message, 'run the code again, and read its result before the time in `kept` is over');
}

/** The form of a result; undefined when there is none by that id, or its time is over. */
export function readKeptForm(folder: string, id: string, now: number): KeptForm | undefined {
  if (!KEPT_ID.test(id)) return undefined;
  let descriptor: number | undefined;
  try {
    descriptor = openSync(join(folder, `${id}.json`), FLAGS);
    const form = JSON.parse(readFully(descriptor, 0, Math.min(fstatSync(descriptor).size, MAX_FORM_BYTES)).toString()) as KeptForm;
    return form.version === 1 && form.expiresAt > now ? form : undefined;
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** @param query such as `offset=100&limit=50` @throws HostFunctionError ERR_FILE_PATH */
export function parsePiece(query: string): PieceRequest {
  const given = new Map<string, string>();
  for (const pair of query.split('&')) {
    const [name = '', value = ''] = pair.split('=', 2);
    given.set(name, value);
  }
  const number = (name: string): number | undefined => {
    const text = given.get(name);
    if (text === undefined) return undefined;
    if (/^\d{1,15}$/.test(text) && !(name === 'limit' && Number(text) === 0)) return Number(text);
    throw badPiece(`"${name}" must be a whole number, not ${JSON.stringify(text.slice(0, 40))}`);
  };
  for (const name of given.keys()) if (!['offset', 'limit', 'unit'].includes(name)) throw badPiece(`"${name.slice(0, 40)}" is not known`);
  const unit = given.get('unit');
  if (unit !== undefined && unit !== 'bytes') throw badPiece('"unit" can only be "bytes"');
  return { offset: number('offset') ?? 0, limit: number('limit'), unit };
}

/**
 * A piece of a result, of at most `maxBytes`.
 * @throws HostFunctionError ERR_FILE_PATH when there is nothing at that offset, ERR_FILE_TOO_LARGE when the first part alone is larger,
 * ERR_RESULT_UNKNOWN when the file has gone
 */
export function readPiece(folder: string, id: string, form: KeptForm, request: PieceRequest, maxBytes: number): Piece {
  const unit = request.unit ?? form.unit;
  const total = unit === 'bytes' ? form.bytes : form.total;
  const { offset } = request;
  if (offset >= total && offset > 0) throw badPiece(`offset ${offset} is past the end: there are ${total} ${unit}, counted from 0`);
  if (total === 0) return { bytes: unit === 'items' ? Buffer.from('[]') : new Uint8Array(), unit, offset, shown: 0, total };
  const descriptor = open(join(folder, id));
  try {
    const { size } = fstatSync(descriptor);
    const readAt: ReadAt = (at, length) => readFully(descriptor, at, Math.min(length, Math.max(0, size - at)));
    const limit = request.limit ?? Infinity;
    if (unit === 'bytes') return bytesPiece(readAt, form, offset, Math.min(limit, maxBytes), total);
    const part = (unit === 'items' ? findItems : findLines)(readAt, form.marks, { offset, limit, maxBytes });
    if (part.shown === 0) throw tooLargePart(id, unit, offset, part, maxBytes);
    const bytes = readAt(part.start, part.end - part.start);
    return { bytes: unit === 'items' ? Buffer.concat([OPEN, bytes, CLOSE]) : bytes, unit, offset, shown: part.shown, total };
  } finally {
    closeSync(descriptor);
  }
}

/** A piece that cannot hold one character would never come to an end. */
const LONGEST_CHARACTER = 4;
const OPEN = Buffer.from('[');
const CLOSE = Buffer.from(']');

function open(file: string): number {
  try {
    return openSync(file, FLAGS);
  } catch {
    throw unknownResult();
  }
}

function bytesPiece(readAt: ReadAt, { mimeType }: Pick<KeptForm, 'mimeType'>, offset: number, length: number, total: number): Piece {
  const found = readAt(offset, length);
  const isText = mimeType.startsWith('text/') || mimeType.includes('json');
  const [start, end] = isText ? wholeCharacters(found, offset + found.length >= total) : [0, found.length];
  if (start === end && length < LONGEST_CHARACTER) return bytesPiece(readAt, { mimeType }, offset, LONGEST_CHARACTER, total);
  return { bytes: found.subarray(start, end), unit: 'bytes', offset: offset + start, shown: end - start, total };
}

/** Without the character that the end goes through, and the rest of one that the start does. */
function wholeCharacters(bytes: Uint8Array, isLast: boolean): [start: number, end: number] {
  const isInside = (at: number): boolean => ((bytes[at] ?? 0) & 0xc0) === 0x80;
  let start = 0;
  while (start < 3 && start < bytes.length && isInside(start)) start++;
  if (isLast) return [start, bytes.length];
  let lead = bytes.length - 1;
  while (lead > start && isInside(lead)) lead--;
  const first = bytes[lead] ?? 0;
  const size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
  return [start, lead + size > bytes.length ? Math.max(lead, start) : bytes.length];
}

function readFully(descriptor: number, at: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const count = readSync(descriptor, bytes, filled, length - filled, at + filled);
    if (count === 0) break;
    filled += count;
  }
  return bytes.subarray(0, filled);
}

function badPiece(problem: string): HostFunctionError {
  return new HostFunctionError(
    'ERR_FILE_PATH',
    `${problem}.`,
    'a piece is named by ?offset=0&limit=100, both whole numbers; unit=bytes counts in bytes',
  );
}

function tooLargePart(id: string, unit: KeptUnit, offset: number, { start }: Part, maxBytes: number): HostFunctionError {
  const message = `${unit === 'items' ? 'Item' : 'Line'} ${offset} alone is larger than ${maxBytes} bytes.`;
  return new HostFunctionError(
    'ERR_FILE_TOO_LARGE',
    message,
    `read it by bytes: results/${id}?offset=${start}&limit=${maxBytes}&unit=bytes`,
  );
}
