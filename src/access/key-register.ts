import { randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { SandboxError } from '../errors.ts';
import { transact } from '../store/database.ts';
import { isGrantGlob } from './grant.ts';
import { keyFileError, openKeyFile } from './key-file.ts';
import { hashKey, KEY_PREFIX, mintKey } from './key-format.ts';
import { readKeyRow, type KeyRow } from './key-schema.ts';

/** Ids and keys begin with words of their own, so that no name is one. */
const NAME = /^(?!key_|amp_)[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
const ID_BYTES = 6;
const MAX_GLOBS = 100;
/** Servers hold all keys in memory. */
const MAX_KEYS = 10_000;
/** What can never be used again is shown for so long, in milliseconds: 90 days. */
const REMEMBER_MS = 90 * 86_400_000;

export interface NewKey {
  readonly name: string;
  /** Globs of `server.tool`; all tools when absent. */
  readonly tools?: readonly string[];
  /** Milliseconds since 1970; never when absent. */
  readonly expires?: number;
}

/** All keys of a file, for their operator. Servers that use the same file follow from their next request on. */
export interface KeyRegister {
  /** @returns the key itself, which is nowhere else. @throws SandboxError ERR_ACCESS_KEY, ERR_ACCESS_UNAVAILABLE */
  create(key: NewKey): { readonly key: string; readonly id: string };
  list(): readonly KeyRow[];
  /**
   * Revokes the key of an id, all keys of a name, or a key that somebody has found. Returns those that were not revoked yet.
   * @throws SandboxError ERR_ACCESS_KEY when there is none
   */
  revoke(which: string): readonly KeyRow[];
  close(): void;
}

/** @throws SandboxError ERR_ACCESS_UNAVAILABLE when the file is not one of ours, is of a newer version or cannot be used */
export function openKeyRegister(file: string, now: () => number = Date.now): KeyRegister {
  const db = openKeyFile(file);
  const guarded = <T>(work: () => T): T => {
    try {
      return transact(db, work);
    } catch (cause) {
      throw cause instanceof SandboxError ? cause : keyFileError(file, cause);
    }
  };
  return {
    create: (key) => {
      checkNewKey(key, now());
      return guarded(() => insert(db, key, now()));
    },
    list: () => guarded(() => db.prepare('SELECT * FROM keys ORDER BY name, created, id').all().map(readKeyRow)),
    revoke: (which) => guarded(() => revoke(db, which, now())),
    close: () => db.close(),
  };
}

function insert(db: DatabaseSync, { name, tools, expires }: NewKey, now: number): { key: string; id: string } {
  db.prepare('DELETE FROM keys WHERE revoked < :before OR expires < :before').run({ before: now - REMEMBER_MS });
  if (Number(db.prepare('SELECT count(*) AS keys FROM keys').get()?.['keys']) >= MAX_KEYS) {
    throw new SandboxError('ERR_ACCESS_KEY', `There are ${MAX_KEYS} keys already.`, {
      hint: 'Revoke keys that nobody uses, or let people come with OAuth.',
    });
  }
  const key = mintKey();
  const id = `key_${randomBytes(ID_BYTES).toString('hex')}`;
  db.prepare('INSERT INTO keys (hash, id, name, tools, created, expires) VALUES (?, ?, ?, ?, ?, ?)').run(
    hashKey(key),
    id,
    name,
    JSON.stringify(tools ?? null),
    now,
    expires ?? null,
  );
  return { key, id };
}

function revoke(db: DatabaseSync, which: string, now: number): KeyRow[] {
  const chosen = { it: which, hash: hashKey(which) };
  const condition = '(name = :it OR id = :it OR hash = :hash)';
  const found = db.prepare(`SELECT * FROM keys WHERE ${condition} ORDER BY name, created, id`).all(chosen).map(readKeyRow);
  if (found.length === 0) {
    // What looks like a key may be one with a typing error in it, or with more around it: it is not shown.
    const shown = which.includes(KEY_PREFIX) ? 'what looks like a key' : `the name or id ${JSON.stringify(which.slice(0, 64))}`;
    throw new SandboxError('ERR_ACCESS_KEY', `There is no key for ${shown}.`, { hint: '"ampoule keys list" shows names and ids.' });
  }
  db.prepare(`UPDATE keys SET revoked = :now WHERE ${condition} AND revoked IS NULL`).run({ ...chosen, now });
  return found.filter(({ revoked }) => revoked === null);
}

function checkNewKey({ name, tools = [], expires }: NewKey, now: number): void {
  if (!NAME.test(name)) {
    throw new SandboxError('ERR_ACCESS_KEY', `A key cannot have the name ${JSON.stringify(name.slice(0, 80))}.`, {
      hint: 'Use 1 to 64 of the characters A-Z a-z 0-9 _ . - with a letter or digit first, such as "laptop".',
    });
  }
  const wrong = tools.find((glob) => !isGrantGlob(glob));
  if (wrong !== undefined || tools.length > MAX_GLOBS) {
    const what = wrong === undefined ? `${tools.length} globs are too many` : `${JSON.stringify(wrong.slice(0, 80))} is no glob of tools`;
    throw new SandboxError('ERR_ACCESS_KEY', `The tools of a key: ${what}.`, {
      hint: `Write server, dot, tool, such as "github.*" or "files.read_*", at most ${MAX_GLOBS} of them.`,
    });
  }
  if (expires !== undefined && !(expires > now)) {
    throw new SandboxError('ERR_ACCESS_KEY', 'A key cannot expire before it is made.', { hint: 'Such as --expires 90d.' });
  }
}
