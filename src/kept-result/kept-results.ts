import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HostFunctionError } from '../../host-functions/host-error.ts';
import { parsePiece, readKeptForm, readPiece, unknownResult, type KeptForm, type Piece } from '../../host-functions/kept-result.ts';
import { SandboxError, type ErrorCode } from '../errors.ts';
import { makeFolder, OWNER_ONLY } from '../make-folder.ts';
import { entriesOver, ownerOf } from './fair-room.ts';
import { listEntries, removeEntry, removeRubbish, TEMPORARY_SUFFIX, type Entry } from './kept-files.ts';

export interface KeptResultsOptions {
  /** Made when missing, for its owner only. */
  readonly directory: string;
  /** Of all results together. */
  readonly maxBytes: number;
  /** How long a result is kept, in milliseconds. */
  readonly ttlMs: number;
  /** Told what the operator should know: holds paths. */
  readonly log?: (message: string, cause?: unknown) => void;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** How a result is to be read in pages. */
export type KeptPages = Pick<KeptForm, 'mimeType' | 'unit' | 'total' | 'marks'>;

/** A result that is kept. */
export interface Kept {
  readonly id: string;
  readonly uri: string;
  readonly bytes: number;
  readonly mimeType: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** A page of a result, and where the next one is. */
export interface KeptPage extends Piece {
  readonly mimeType: string;
  readonly next?: string;
}

/** Most bytes of a page. A part of an image is of no use to anybody, so those may be larger. */
export interface PageBounds {
  readonly maxBytes: number;
  readonly maxMediaBytes: number;
}

/** Results that are too large for an answer, each in a file of its own, for a time, and for one principal alone. */
export interface KeptResults {
  /** Name of the folder in `directory` that has a principal's results. */
  folderOf(principal: string): string;
  /** @throws SandboxError ERR_RESULT_STORE */
  keep(principal: string, bytes: Uint8Array, pages: KeptPages): Promise<Kept>;
  /**
   * @param query what follows the "?" of the URI
   * @throws SandboxError ERR_RESULT_UNKNOWN, whoever asks and why ever; ERR_SERVER_INPUT when there is no such page
   */
  read(principal: string, id: string, query: string, bounds: PageBounds): KeptPage;
  close(): void;
}

export const RESULT_URI = 'ampoule://results/';
const WRITE_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
/** Timers cannot wait for longer. */
const LONGEST_WAIT_MS = 86_400_000;

/** Opens the folder of results and removes what is left over in it. A folder that cannot be used is told when something is to be kept. */
export async function openKeptResults(options: KeptResultsOptions): Promise<KeptResults> {
  const store = new ResultFiles(options);
  await store.open();
  return store;
}

class ResultFiles implements KeptResults {
  readonly #options: KeptResultsOptions;
  readonly #now: () => number;
  /** What is kept, oldest first, as far as this process knows. */
  #entries: Entry[] = [];
  /** Those of them whose files are being written: a look at the disk does not find them yet. */
  readonly #writing = new Set<Entry>();
  #turn: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: KeptResultsOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  async open(): Promise<void> {
    const { directory, log } = this.#options;
    try {
      await makeFolder(directory, OWNER_ONLY);
      await removeRubbish(directory, this.#options.ttlMs, this.#now());
      this.#entries = await listEntries(directory);
      await this.#removeOld(0);
    } catch (cause) {
      log?.('Results that are too large for an answer cannot be kept', cause);
    }
  }

  folderOf(principal: string): string {
    return createHash('sha256').update(principal).digest('hex').slice(0, 32);
  }

  async keep(principal: string, bytes: Uint8Array, pages: KeptPages): Promise<Kept> {
    const { maxBytes, ttlMs, directory } = this.#options;
    if (bytes.length > maxBytes) {
      throw new SandboxError('ERR_RESULT_STORE', `${bytes.length} bytes are more than may be kept in all (${maxBytes}).`);
    }
    const id = randomBytes(16).toString('hex');
    const folder = join(directory, this.folderOf(principal));
    const expiresAt = this.#now() + ttlMs;
    const form: KeptForm = { version: 1, ...pages, bytes: bytes.length, expiresAt };
    const entry = { file: join(folder, id), bytes: bytes.length, expiresAt };
    try {
      await makeFolder(folder, OWNER_ONLY);
      await this.#makeRoomFor(entry);
      await writeWhole(entry.file, bytes);
      // With its form a result is there: before that nobody finds it.
      await writeWhole(`${entry.file}.json`, Buffer.from(JSON.stringify(form)));
      if (!this.#entries.includes(entry)) throw new Error('others that came at the same time have taken its room');
    } catch (cause) {
      this.#entries = this.#entries.filter((other) => other !== entry);
      await removeEntry(entry).catch(() => undefined);
      this.#options.log?.('A result that is too large for an answer could not be kept', cause);
      throw new SandboxError('ERR_RESULT_STORE', 'The whole cannot be kept at the moment.', { cause });
    } finally {
      this.#writing.delete(entry);
    }
    this.#wait();
    return { id, uri: RESULT_URI + id, bytes: bytes.length, mimeType: pages.mimeType, expiresAt };
  }

  read(principal: string, id: string, query: string, { maxBytes, maxMediaBytes }: PageBounds): KeptPage {
    const folder = join(this.#options.directory, this.folderOf(principal));
    try {
      const form = readKeptForm(folder, id, this.#now());
      if (!form) throw unknownResult();
      const request = query === '' ? { offset: 0 } : parsePiece(query);
      const isText = form.mimeType.startsWith('text/') || form.mimeType.includes('json');
      const most = isText ? maxBytes : maxMediaBytes;
      const piece = query === '' ? firstPiece(folder, id, form, most) : readPiece(folder, id, form, request, most);
      const end = piece.offset + piece.shown;
      const unit = piece.unit === form.unit ? undefined : piece.unit;
      const more = { ...(request.limit !== undefined && { limit: request.limit }), ...(unit && { unit }) };
      const rest = Object.entries(more).map(([name, value]) => `&${name}=${value}`);
      return { ...piece, mimeType: form.mimeType, ...(end < piece.total && { next: `${RESULT_URI}${id}?offset=${end}${rest.join('')}` }) };
    } catch (error) {
      throw error instanceof HostFunctionError
        ? pageError(error)
        : new SandboxError('ERR_RESULT_STORE', 'The result cannot be read.', { cause: error });
    }
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /** One after the other: two that come together must not both count on the same room. */
  #makeRoomFor(entry: Entry): Promise<void> {
    const turn = this.#turn.then(async () => {
      await this.#removeOld(entry.bytes, { folder: ownerOf(entry), bytes: entry.bytes });
      this.#entries.push(entry);
      this.#writing.add(entry);
    });
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** Removes what is over its time, then as much as it takes for there to be room for so many bytes of an owner, see {@link entriesOver}. */
  async #removeOld(room: number, owner?: { readonly folder: string; readonly bytes: number }): Promise<void> {
    const now = this.#now();
    let held = this.#entries.reduce((sum, { bytes }) => sum + bytes, 0);
    // Another process may keep results here too, or have removed some.
    if (room > 0 && held + room > this.#options.maxBytes) await this.#lookAgain();
    held = this.#entries.reduce((sum, { bytes }) => sum + bytes, 0);
    const expired = this.#entries.filter(({ expiresAt }) => expiresAt <= now);
    for (const { bytes } of expired) held -= bytes;
    const left = this.#entries.filter(({ expiresAt }) => expiresAt > now);
    const gone = [...expired, ...entriesOver(left, held + room - this.#options.maxBytes, owner)];
    const isGone = new Set(gone);
    this.#entries = this.#entries.filter((entry) => !isGone.has(entry));
    for (const entry of gone) await removeEntry(entry);
    this.#wait();
  }

  async #lookAgain(): Promise<void> {
    const writing = new Set(this.#writing);
    const listed = await listEntries(this.#options.directory);
    const own = this.#entries.filter((entry) => writing.has(entry));
    const files = new Set(own.map(({ file }) => file));
    this.#entries = [...listed.filter(({ file }) => !files.has(file)), ...own];
  }

  /** Until the first result is over its time. */
  #wait(): void {
    clearTimeout(this.#timer);
    if (this.#closed || this.#entries.length === 0) return;
    const first = Math.min(...this.#entries.map(({ expiresAt }) => expiresAt));
    const ms = Math.min(Math.max(first - this.#now(), 0) + 1, LONGEST_WAIT_MS);
    this.#timer = setTimeout(() => void this.#removeOld(0).catch(() => undefined), ms);
    this.#timer.unref();
  }
}

/** A file that is there whole or not at all, readable for its owner only. */
async function writeWhole(file: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${file}${TEMPORARY_SUFFIX}`;
  try {
    const handle = await open(temporary, WRITE_FLAGS, 0o600);
    try {
      await handle.writeFile(bytes);
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** What stands for the whole: in bytes where the first item or line alone is larger than a page, because nobody has asked for that one. */
function firstPiece(folder: string, id: string, form: KeptForm, most: number): Piece {
  try {
    return readPiece(folder, id, form, { offset: 0 }, most);
  } catch (error) {
    if (!(error instanceof HostFunctionError) || error.code !== 'ERR_FILE_TOO_LARGE') throw error;
    return readPiece(folder, id, form, { offset: 0, unit: 'bytes' }, most);
  }
}

/** @param error speaks to a program, which reads by path; who reads a resource has a URI. */
function pageError({ code, message, hint: hintForProgram }: HostFunctionError): SandboxError {
  const hint = hintForProgram?.replace(/(?<!\/\/)\bresults\/(?=[0-9a-f]{32}\?)/, RESULT_URI);
  const isPage = code === 'ERR_FILE_PATH' || code === 'ERR_FILE_TOO_LARGE';
  return new SandboxError(isPage ? 'ERR_SERVER_INPUT' : (code as ErrorCode), message, hint === undefined ? {} : { hint });
}
