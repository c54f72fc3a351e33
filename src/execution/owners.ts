import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { lockFile } from '../store/lock-file.ts';

const NAME = /^[0-9a-f]{32}\.lock$/;

/**
 * Who carries executions on. Each owner is a file in a folder beside the database, with an exclusive lock that the system takes away when
 * its process ends, however that ends: no numbers of processes that others may have later, and no waiting. All methods but `close` are for callers
 * that hold the write lock of the database itself, so that nobody takes a file for a dead owner's before it is locked.
 */
export class Owners {
  readonly #folder: string | undefined;
  readonly id = randomBytes(16).toString('hex');
  #lock: DatabaseSync | undefined;

  /** @param folder - made when it is needed; undefined where no other process can be */
  constructor(folder: string | undefined) {
    this.#folder = folder;
  }

  /** Whether anything can be its own. */
  get isOwner(): boolean {
    return this.#lock !== undefined;
  }

  /** This owner, from now on alive. */
  own(): string {
    if (this.#folder !== undefined) this.#lock ??= this.#begin(this.#folder);
    return this.id;
  }

  /** Whether a process carries on with what an owner has. */
  isAlive(owner: string): boolean {
    if (owner === this.id) return true;
    // Only a name of ours: another one would lead out of the folder.
    if (this.#folder === undefined || !NAME.test(`${owner}.lock`)) return false;
    if (!existsSync(this.#path(owner))) return false;
    try {
      lockFile(this.#path(owner)).close();
      return false;
    } catch {
      // Whatever else is wrong with the file, nobody can say that its owner is dead.
      return true;
    }
  }

  /** Removes the files of owners that are dead and own nothing. */
  sweep(owns: ReadonlySet<string>): void {
    for (const name of this.#names()) {
      const owner = name.slice(0, -'.lock'.length);
      if (owner !== this.id && !owns.has(owner) && !this.isAlive(owner)) this.#remove(owner);
    }
  }

  /** From now on it is dead. */
  close(): void {
    if (this.#lock === undefined) return;
    this.#lock.close();
    this.#lock = undefined;
    this.#remove(this.id);
  }

  #begin(folder: string): DatabaseSync {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return lockFile(this.#path(this.id));
  }

  #names(): string[] {
    if (this.#folder === undefined) return [];
    try {
      return readdirSync(this.#folder).filter((name) => NAME.test(name));
    } catch {
      return [];
    }
  }

  #remove(owner: string): void {
    try {
      for (const end of ['', '-journal']) rmSync(`${this.#path(owner)}${end}`, { force: true });
    } catch {
      // It stays for the next one who looks.
    }
  }

  #path(owner: string): string {
    return join(this.#folder ?? '', `${owner}.lock`);
  }
}
