import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { JsonSchema } from '../../src/learned/learned-schema.ts';
import { followCatalog } from '../../src/wrappers/follow-catalog.ts';
import { catalog, server, tool } from './catalogs.ts';

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'ampoule-follow-'))));
afterEach(() => rm(folder, { recursive: true }));

/** What was learned, as a test says it. */
class Learned {
  readonly schemas = new Map<string, JsonSchema>();
  readonly #listeners = new Set<() => void>();
  learnedSchema = (_server: string, name: string): JsonSchema | undefined => this.schemas.get(name);
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
  tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

test('wrappers follow what is learned, in memory and on disk, and change only when it does', async () => {
  const now = catalog(server('s', [tool('t'), tool('u')]));
  const learned = new Learned();
  const quiet = { info: () => undefined, warn: () => undefined };
  const wrappers = await followCatalog({ catalog: () => now, onChange: () => () => undefined }, folder, quiet, learned);
  const first = wrappers.current();
  const hashes: string[] = [];
  wrappers.onChange(({ hash }) => hashes.push(hash));
  expect(first.declared).toBeUndefined();
  learned.tell();
  await sleep(50);
  expect(wrappers.current()).toBe(first);
  learned.schemas.set('t', { type: 'object', properties: { a: { type: 'string' } }, additionalProperties: true });
  learned.tell();
  await expect.poll(() => hashes).toHaveLength(1);
  const second = wrappers.current();
  expect(second.hash).not.toBe(first.hash);
  expect(second.declared).toMatchObject({ hash: first.hash });
  expect(second.catalog).toBe(now);
  expect(await readFile(join(folder, 's', 't.ts'), 'utf8')).toBe(second.files.get('s/t.ts'));
  expect(second.files.get('s/t.ts')).toContain('a?: string;');
  expect(second.files.get('s/u.ts')).toBe(first.files.get('s/u.ts'));
  expect(second.files.get('manifest.json')).toBe(first.files.get('manifest.json'));
  learned.tell();
  await sleep(50);
  expect(hashes).toHaveLength(1);
  // What was learned can be forgotten again.
  learned.schemas.clear();
  learned.tell();
  await expect.poll(() => hashes).toHaveLength(2);
  expect(wrappers.current().hash).toBe(first.hash);
});
