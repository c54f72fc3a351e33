import { chmodSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { json } from 'node:stream/consumers';
import { afterAll, describe, expect, test } from 'vitest';
import { hashKey, isKey, mintKey } from '../../src/access/key-format.ts';
import { openKeyKeeper } from '../../src/access/key-keeper.ts';
import { openKeyRegister } from '../../src/access/key-register.ts';
import { NO_SMALL_DISK, spawnOnSmallDisk } from '../store/small-disk.ts';

const READ_ONLY_CHILD = join(import.meta.dirname, 'read-only-keys-child.ts');

const folder = mkdtempSync(join(tmpdir(), 'ampoule-keys-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const freshFile = (): string => join(folder, `${files++}.db`);

describe('the form of a key', () => {
  test('has a prefix that scanners know, and 192 random bits', () => {
    const keys = new Set(Array.from({ length: 1_000 }, mintKey));
    expect(keys.size).toBe(1_000);
    for (const key of keys) expect(key).toMatch(/^amp_[A-Za-z0-9_-]{36}$/);
    expect(Buffer.from([...keys][0]!.slice(4), 'base64url').length).toBe(24 + 3);
  });

  test('tells a typing error without a store: every single wrong character, a missing one and one too many', () => {
    const key = mintKey();
    expect(isKey(key)).toBe(true);
    for (let at = 4; at < key.length; at++) {
      const other = key[at] === 'A' ? 'B' : 'A';
      expect(isKey(key.slice(0, at) + other + key.slice(at + 1))).toBe(false);
    }
    for (const wrong of [key.slice(0, -1), `${key}A`, key.toUpperCase(), `${key}\n`, ` ${key}`, '']) expect(isKey(wrong)).toBe(false);
  });
});

describe('the file of keys', () => {
  test('holds hashes and no key, and belongs to its owner alone', () => {
    const file = freshFile();
    const register = openKeyRegister(file);
    const { key } = register.create({ name: 'laptop' });
    register.close();
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const bytes = readFileSync(file).toString('latin1');
    expect(bytes).not.toContain(key.slice(4));
    expect(bytes).toContain(hashKey(key));
  });

  test('is taken back from others when somebody opened it to them', () => {
    const file = freshFile();
    openKeyRegister(file).close();
    chmodSync(file, 0o666);
    const register = openKeyRegister(file);
    register.create({ name: 'laptop' });
    for (const end of ['', '-wal', '-shm']) expect(statSync(file + end).mode & 0o777).toBe(0o600);
    chmodSync(`${file}-wal`, 0o666);
    openKeyKeeper(file).close();
    for (const end of ['', '-wal', '-shm']) expect(statSync(file + end).mode & 0o777).toBe(0o600);
    register.close();
  });

  test.skipIf(process.platform === 'win32')(
    'in a folder that everybody may write to is not used: anybody could put another in its place',
    () => {
      const open = mkdtempSync(join(tmpdir(), 'ampoule-keys-'));
      const file = join(open, 'keys.db');
      openKeyRegister(file).close();
      const said = [0o777, 0o1777, 0o775].map((mode) => {
        chmodSync(open, mode);
        try {
          openKeyKeeper(file).close();
          return 'used';
        } catch (error) {
          return String(error);
        }
      });
      expect(said).toEqual([expect.stringContaining('chmod it to 700'), expect.stringContaining('chmod it to 700'), 'used']);
      rmSync(open, { recursive: true });
    },
  );

  test.each(['', 'a b', '-x', 'a/b', 'key_1', 'amp_x', 'x'.repeat(65), 'ä'])('refuses the name %j', (name) => {
    const register = openKeyRegister(freshFile());
    expect(() => register.create({ name })).toThrow(expect.objectContaining({ code: 'ERR_ACCESS_KEY' }));
    register.close();
  });

  test.each(['github', '.x', 'a b.c', '', 'x.', '\n.x'])('refuses the glob %j', (glob) => {
    const register = openKeyRegister(freshFile());
    expect(() => register.create({ name: 'a', tools: [glob] })).toThrow(expect.objectContaining({ code: 'ERR_ACCESS_KEY' }));
    register.close();
  });

  test('revokes by name all keys, by id one, and by the key itself what somebody has found', () => {
    const register = openKeyRegister(freshFile());
    const first = register.create({ name: 'ci' });
    register.create({ name: 'ci' });
    const found = register.create({ name: 'lost' });
    expect(register.revoke(first.id)).toMatchObject([{ id: first.id, name: 'ci' }]);
    expect(register.revoke('ci')).toMatchObject([{ name: 'ci' }]);
    expect(register.revoke('ci')).toEqual([]);
    expect(register.revoke(found.key)).toMatchObject([{ id: found.id, name: 'lost' }]);
    expect(() => register.revoke('nobody')).toThrow('There is no key for the name or id "nobody".');
    register.close();
  });

  test('takes a hundred globs and no more', () => {
    const register = openKeyRegister(freshFile());
    const globs = (count: number): string[] => Array.from({ length: count }, (_, n) => `server.tool-${n}`);
    register.create({ name: 'many', tools: globs(100) });
    expect(() => register.create({ name: 'more', tools: globs(101) })).toThrow('101 globs are too many');
    register.close();
  });

  test('takes ten thousand keys and no more, and forgets what has been over for ninety days', () => {
    const file = freshFile();
    const day = 86_400_000;
    let now = 1_000 * day;
    const register = openKeyRegister(file, () => now);
    const db = new DatabaseSync(file);
    db.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)
      INSERT INTO keys (hash, id, name, tools, created, revoked) SELECT 'h' || i, 'i' || i, 'old', 'null', 0, ${now} FROM n`);
    db.close();
    register.create({ name: 'last' });
    expect(() => register.create({ name: 'over' })).toThrow('There are 10000 keys already.');
    now += 90 * day;
    expect(() => register.create({ name: 'over' })).toThrow('There are 10000 keys already.');
    now += 1;
    register.create({ name: 'over' });
    expect(register.list().map(({ name }) => name)).toEqual(['last', 'over']);
    register.close();
  });

  test('does not repeat in an error what may be a key', () => {
    const register = openKeyRegister(freshFile());
    const key = mintKey();
    expect(() => register.revoke(key)).toThrow(expect.objectContaining({ message: expect.not.stringContaining(key.slice(4, 20)) }));
    register.close();
  });

  test('that is of another program is refused with a code', () => {
    const file = freshFile();
    writeFileSync(file, Buffer.alloc(8_192, 'not a database '));
    expect(() => openKeyKeeper(file)).toThrow(expect.objectContaining({ code: 'ERR_ACCESS_UNAVAILABLE' }));
  });
});

describe('a running server', () => {
  test('knows a key from the moment it is made, and refuses it from the moment it is revoked', () => {
    const file = freshFile();
    const keeper = openKeyKeeper(file);
    const register = openKeyRegister(file);
    const { key, id } = register.create({ name: 'laptop', tools: ['github.*'] });
    const known = keeper.find(key)?.known;
    expect(known).toMatchObject({ principal: { id: 'key:laptop', grant: ['github.*'] } });
    expect(known?.standing()).toBe('good');
    register.revoke(id);
    // What is open, such as a stream, hears of it without another request.
    expect(known?.standing()).toBe('revoked');
    expect(keeper.find(key)?.standing).toBe('revoked');
    register.close();
    keeper.close();
  });

  test('refuses a key from the millisecond on in which it expires', () => {
    const file = freshFile();
    let now = 1_000_000;
    const register = openKeyRegister(file, () => now);
    const { key } = register.create({ name: 'short', expires: now + 1_000 });
    const keeper = openKeyKeeper(file, () => now);
    now += 999;
    expect(keeper.find(key)?.standing).toBe('good');
    now += 1;
    expect(keeper.find(key)?.standing).toBe('expired');
    register.close();
    keeper.close();
  });

  test('takes two keys of one name for one principal, each with its own tools', () => {
    const file = freshFile();
    const register = openKeyRegister(file);
    const [old, fresh] = [register.create({ name: 'ci', tools: ['a.*'] }), register.create({ name: 'ci' })];
    const keeper = openKeyKeeper(file);
    expect(keeper.find(old.key)?.known.principal).toMatchObject({ id: 'key:ci', grant: ['a.*'] });
    expect(keeper.find(fresh.key)?.known.principal).toEqual({ id: 'key:ci', credential: fresh.id });
    register.revoke(old.id);
    expect(keeper.find(old.key)?.standing).toBe('revoked');
    expect(keeper.find(fresh.key)?.standing).toBe('good');
    register.close();
    keeper.close();
  });

  test('does not know what is no key, one of another file, its hash or its id', () => {
    const file = freshFile();
    const register = openKeyRegister(file);
    const { key, id } = register.create({ name: 'laptop' });
    const keeper = openKeyKeeper(file);
    for (const text of [mintKey(), hashKey(key), id, key.toLowerCase(), `${key}=`, 'amp_', '', 'x'.repeat(8_000), "' OR 1=1 --"]) {
      expect(keeper.find(text)).toBeUndefined();
    }
    register.close();
    keeper.close();
  });

  test('notes when a key was used, at most once in a minute', () => {
    const file = freshFile();
    let now = 10_000_000;
    const register = openKeyRegister(file, () => now);
    const { key } = register.create({ name: 'laptop' });
    const keeper = openKeyKeeper(file, () => now);
    const used = (): number | null => register.list()[0]!.used;
    expect(used()).toBeNull();
    keeper.find(key);
    expect(used()).toBe(now);
    now += 59_000;
    keeper.find(key);
    expect(used()).toBe(now - 59_000);
    now += 1_000;
    keeper.find(key);
    expect(used()).toBe(now);
    register.close();
    keeper.close();
  });

  test('lets nobody in with the keys of a file that was taken away, and those of the next file in', () => {
    const file = freshFile();
    let now = 1_000_000;
    const register = openKeyRegister(file, () => now);
    const { key } = register.create({ name: 'laptop' });
    const keeper = openKeyKeeper(file, () => now);
    expect(keeper.find(key)).toBeDefined();
    register.close();
    for (const end of ['', '-wal', '-shm']) rmSync(file + end, { force: true });
    now += 1_000;
    expect(keeper.find(key)).toBeUndefined();
    const next = openKeyRegister(file, () => now);
    const other = next.create({ name: 'laptop' });
    expect(keeper.find(other.key)).toBeDefined();
    next.close();
    keeper.close();
  });

  test('says with a code that the keys cannot be read, and lets nobody in', () => {
    const file = freshFile();
    const register = openKeyRegister(file);
    const { key } = register.create({ name: 'laptop' });
    register.close();
    const keeper = openKeyKeeper(file);
    keeper.close();
    expect(() => keeper.find(key)).toThrow(expect.objectContaining({ code: 'ERR_ACCESS_UNAVAILABLE' }));
  });

  test('ends nothing that is open while the file cannot be read, and lets nobody in', () => {
    const file = freshFile();
    const register = openKeyRegister(file);
    const { key } = register.create({ name: 'laptop' });
    register.close();
    let now = Date.now();
    const keeper = openKeyKeeper(file, () => now);
    const open = keeper.find(key)?.known;
    renameSync(file, `${file}.away`);
    mkdirSync(file);
    now += 1_000;
    expect(() => keeper.find(key)).toThrow(expect.objectContaining({ code: 'ERR_ACCESS_UNAVAILABLE' }));
    expect(open?.standing()).toBe('good');
    rmdirSync(file);
    for (const end of ['-wal', '-shm']) rmSync(`${file}${end}`, { force: true });
    now += 1_000;
    expect(keeper.find(key)).toBeUndefined();
    expect(open?.standing()).toBe('revoked');
    keeper.close();
  });

  test.skipIf(NO_SMALL_DISK !== undefined)('follows what somebody else writes also where it can only read', async () => {
    const disk = mkdtempSync(join(tmpdir(), 'ampoule-keys-'));
    try {
      const child = spawnOnSmallDisk(disk, '1m', [process.execPath, '--no-warnings', READ_ONLY_CHILD, disk]);
      expect(await json(child.stdout!)).toEqual(['good', 'revoked', 'good', 'revoked', 'good']);
    } finally {
      rmSync(disk, { recursive: true });
    }
  });

  test('judges a key in a small part of a millisecond', () => {
    const file = freshFile();
    const register = openKeyRegister(file);
    const { key } = register.create({ name: 'laptop' });
    const keeper = openKeyKeeper(file);
    for (let round = 0; round < 2_000; round++) keeper.find(key);
    const began = performance.now();
    for (let round = 0; round < 2_000; round++) keeper.find(key);
    const each = (performance.now() - began) / 2_000;
    register.close();
    keeper.close();
    // About 0.008 ms on an idle machine; a read of the file for each request would cost far more than this.
    expect(each).toBeLessThan(1);
  });
});
