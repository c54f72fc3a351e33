import { randomBytes } from 'node:crypto';
import { constants, lstatSync } from 'node:fs';
import { lstat, mkdir, open, realpath, rename, rm, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder, OWNER_ONLY } from '../make-folder.ts';
import { ENTRY_SUFFIX, TEMPORARY_SUFFIX, evict } from './disk-eviction.ts';
import { decodeProgram } from './program-file.ts';

/** How often an entry's time of last use is written, in milliseconds. */
const TOUCH_MS = 60_000;
/** Part of the bound that may be written before the folder is looked at again, because other processes write to it too. */
const RESCAN_FRACTION = 0.05;
/** O_NONBLOCK because opening a pipe that somebody put there would wait for ever. Neither flag exists on Windows. */
const READ_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
const WRITE_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);

export interface DiskCacheOptions {
  /** Made when missing, readable by its owner only. Who can write to it decides what programs run: it must be the operator's own. */
  readonly directory: string;
  /** Bound of all entries together. */
  readonly maxBytes: number;
  /** Told of damaged entries, and once of each reason for which the cache does not work. For the operator: holds paths. */
  readonly log?: (message: string, cause?: unknown) => void;
}

/** Counts since the cache was opened. */
export interface DiskCacheStatistics {
  readonly hits: number;
  readonly misses: number;
  readonly damaged: number;
  readonly evicted: number;
}

/**
 * Opens the program cache on disk. Two processes may use one folder. A folder that cannot be made, read or written is told to the
 * log once, and is then a cache without entries.
 */
export async function openDiskCache(options: DiskCacheOptions): Promise<DiskCache> {
  let directory = options.directory;
  let problem: unknown;
  try {
    await makeFolder(directory, OWNER_ONLY);
    directory = await realpath(directory);
  } catch (error) {
    problem = error;
  }
  const cache = new DiskCache({ ...options, directory });
  if (problem === undefined) await cache.makeRoom();
  else cache.degrade(problem);
  return cache;
}

/** Programs on disk, by key. A failure of the disk is a miss, never an error. Made by {@link openDiskCache}. */
export class DiskCache {
  readonly #directory: string;
  readonly #maxBytes: number;
  readonly #log: (message: string, cause?: unknown) => void;
  readonly #told = new Set<string>();
  readonly #counts = { hits: 0, misses: 0, damaged: 0, evicted: 0 };
  /** What the entries take: as found by the last look at the folder, and written by us since. */
  #foundBytes = 0;
  #writtenBytes = 0;
  #makingRoom: Promise<void> | undefined;

  constructor(options: DiskCacheOptions) {
    this.#directory = options.directory;
    this.#maxBytes = options.maxBytes;
    this.#log = options.log ?? (() => undefined);
  }

  get statistics(): DiskCacheStatistics {
    return { ...this.#counts };
  }

  /**
   * The encoded program with this key, or undefined when it is not here. It is verified; one that is damaged is deleted and
   * counts as not here.
   * @throws TypeError when the key is no key; the signal's reason when it fires.
   */
  async get(key: string, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    const path = this.#entryPath(key);
    signal?.throwIfAborted();
    const bytes = await this.#read(path);
    signal?.throwIfAborted();
    const program = bytes && (await this.#verify(path, bytes, key));
    if (program === undefined) this.#counts.misses++;
    else this.#counts.hits++;
    return program;
  }

  /**
   * Keeps an encoded program. Done when it is on disk, or when it turned out that it cannot be kept.
   * @param bytes from `encodeProgram` with the same key.
   * @throws TypeError when the key is no key.
   */
  async put(key: string, bytes: Uint8Array): Promise<void> {
    const path = this.#entryPath(key);
    if (bytes.length > this.#maxBytes) return;
    const temporary = `${path}.${randomBytes(16).toString('hex')}${TEMPORARY_SUFFIX}`;
    try {
      await this.#makeShard(key);
      try {
        await writeNew(temporary, bytes);
        await rename(temporary, path);
      } catch (error) {
        await unlink(temporary).catch(() => undefined);
        throw error;
      }
    } catch (error) {
      this.degrade(error);
      return;
    }
    this.#writtenBytes += bytes.length;
    const rescan = this.#writtenBytes > this.#maxBytes * RESCAN_FRACTION;
    if (rescan || this.#foundBytes + this.#writtenBytes > this.#maxBytes) await this.makeRoom();
  }

  /** Looks at the whole folder: removes what killed processes left behind, and the entries that are too many. */
  async makeRoom(): Promise<void> {
    this.#makingRoom ??= this.#evict().finally(() => (this.#makingRoom = undefined));
    await this.#makingRoom;
  }

  /** Says once, for each reason, that the cache does not work. */
  degrade(error: unknown): void {
    const reason = errorCode(error);
    if (this.#told.has(reason)) return;
    this.#told.add(reason);
    this.#log(`The program cache at ${this.#directory} does not work (${reason}); programs are made again instead.`, error);
  }

  async #evict(): Promise<void> {
    try {
      this.#writtenBytes = 0;
      const { bytes, evicted } = await evict(this.#directory, this.#maxBytes);
      this.#foundBytes = bytes;
      this.#counts.evicted += evicted;
    } catch (error) {
      this.degrade(error);
    }
  }

  #entryPath(key: string): string {
    if (!/^[0-9a-f]{64}$/.test(key)) throw new TypeError(`key is ${JSON.stringify(key)}, not 64 lower-case hexadecimal digits`);
    return join(this.#directory, key.slice(0, 2), key + ENTRY_SUFFIX);
  }

  async #makeShard(key: string): Promise<void> {
    const shard = join(this.#directory, key.slice(0, 2));
    // Not recursive: a cache folder that somebody removed while we run is not made again behind their back.
    await mkdir(shard, { mode: 0o700 }).catch((error: unknown) => {
      if (errorCode(error) !== 'EEXIST') throw error;
    });
    if (!(await lstat(shard)).isDirectory()) throw Object.assign(new Error(`${shard} is not a folder`), { code: 'ENOTDIR' });
  }

  async #read(path: string): Promise<Buffer | undefined> {
    try {
      // Most programs are new. To find that out in the careful way, in three steps of a thread each, takes longer than the search itself.
      if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return this.#noteMiss();
      if (!(await lstat(join(path, '..'))).isDirectory()) throw Object.assign(new Error(`${path} is not in a folder`), { code: 'ENOTDIR' });
      await using file = await open(path, READ_FLAGS);
      const status = await file.stat();
      if (!status.isFile() || status.size > this.#maxBytes) return await this.#discard(path, 'it is no file of a size that could be one');
      const bytes = await readExactly(file, status.size);
      // Best effort: on a read-only disk the order of last use is not known, and nothing is evicted there either.
      if (Math.abs(Date.now() - status.mtimeMs) > TOUCH_MS) await file.utimes(new Date(), new Date()).catch(() => undefined);
      return bytes;
    } catch (error) {
      return this.#explainMiss(path, error);
    }
  }

  async #explainMiss(path: string, error: unknown): Promise<undefined> {
    switch (errorCode(error)) {
      case 'ENOENT':
        return this.#noteMiss();
      case 'ELOOP':
        return this.#discard(path, 'it is a symbolic link');
      default:
        this.degrade(error);
        return undefined;
    }
  }

  /** An entry that is not there is nothing to tell of, a folder that is not there is. */
  #noteMiss(): undefined {
    try {
      lstatSync(this.#directory);
    } catch (gone) {
      this.degrade(gone);
    }
  }

  async #verify(path: string, bytes: Buffer, key: string): Promise<Uint8Array | undefined> {
    try {
      decodeProgram(bytes, key);
      return bytes;
    } catch (error) {
      return this.#discard(path, 'it fails its check', error);
    }
  }

  async #discard(path: string, reason: string, cause?: unknown): Promise<undefined> {
    this.#counts.damaged++;
    this.#log(`The cached program ${path} was deleted: ${reason}. It will be made again.`, cause);
    await rm(path, { recursive: true, force: true }).catch((error: unknown) => this.degrade(error));
    return undefined;
  }
}

/** No fsync: what a crash leaves half-written fails its check when it is read, and a cache entry can be made again. */
async function writeNew(path: string, bytes: Uint8Array): Promise<void> {
  await using file = await open(path, WRITE_FLAGS, 0o600);
  await file.writeFile(bytes);
}

/** Up to `size` bytes, in a buffer of its own: a file that grows while it is read stays bounded, and then fails its check. */
async function readExactly(file: FileHandle, size: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(size);
  let filled = 0;
  while (filled < size) {
    const { bytesRead } = await file.read(bytes, filled, size - filled, filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}
