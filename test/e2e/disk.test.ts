import { rmSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { NO_SMALL_DISK } from '../store/small-disk.ts';
import { fixture, type Ampoule } from './harness.ts';
import { fill, onItsDisk, startWithSmallDisk } from './small-disk-server.ts';

/** A server whose cache folder is on a disk of its own, which no other process sees but through `/proc/<pid>/root`. */

const COUNT = 'import { getState, setState } from "ampoule"; const n = (getState().n ?? 0) + 1; setState("n", n); return n;';
const READ = 'import { getState } from "ampoule"; return getState().n;';
const LARGE = 'return Array.from({ length: 60000 }, (_, n) => n);';

const running: Ampoule[] = [];
afterEach(() => Promise.all(running.splice(0).map((ampoule) => ampoule.stop())));

function startOnSmallDisk(size: string, before?: string): Promise<Ampoule> {
  return startWithSmallDisk(
    size,
    { skills: 'on', mcpServers: { answers: fixture('answers') } },
    { before, onStart: (ampoule) => running.push(ampoule) },
  );
}

async function ending(ampoule: Ampoule, code: string, args: Record<string, unknown> = {}): Promise<unknown> {
  const { output } = await ampoule.execute(code, args);
  return output.error?.code ?? output.result;
}

async function saveSkill(ampoule: Ampoule, value: number): Promise<unknown> {
  const client = await ampoule.connect();
  const answer = await client.callTool('save_skill', { name: 'number', description: 'A number.', code: `export const value = ${value};` });
  if (answer.isError !== true) return 'saved';
  return /ERR_\w+/.exec(JSON.stringify(answer))?.[0];
}

describe.skipIf(NO_SMALL_DISK !== undefined)(
  `the disk of the cache folder${NO_SMALL_DISK === undefined ? '' : `: skipped, ${NO_SMALL_DISK}`}`,
  () => {
    test('gets full: programs run on, what cannot be kept is told by a code, and nothing that was kept is lost', async () => {
      const ampoule = await startOnSmallDisk('8m');
      const { output } = await ampoule.execute(COUNT, { session: 'new' });
      const { session } = output;
      expect([output.result, await saveSkill(ampoule, 1)]).toEqual([1, 'saved']);
      const filler = onItsDisk(ampoule, 'filler');
      fill(filler);
      expect(await ending(ampoule, 'return input * 3;', { input: 7 })).toBe(21);
      expect(await ending(ampoule, 'import { echo } from "servers/answers"; return echo({ a: 1 });')).toEqual({ a: 1 });
      expect(await ending(ampoule, READ, { session })).toBe(1);
      expect(await ending(ampoule, COUNT, { session })).toBe('ERR_SESSION_STORE');
      expect(await ending(ampoule, COUNT, { session: 'new' })).toBe('ERR_SESSION_STORE');
      expect(await saveSkill(ampoule, 2)).toBe('ERR_SKILL_STORE');
      expect(await ending(ampoule, 'import { value } from "skills/number"; return value;')).toBe(1);
      const large = await ampoule.execute(LARGE);
      expect(large.output).toMatchObject({ status: 'completed', warnings: [{ message: expect.stringMatching(/cannot be kept|kept/) }] });
      rmSync(filler);
      expect(await ending(ampoule, COUNT, { session })).toBe(2);
      expect(await saveSkill(ampoule, 3)).toBe('saved');
      expect((await ampoule.execute(LARGE)).output.kept).toHaveLength(1);
      expect(ampoule.stderr).toMatch(/program cache .* does not work \(ENOSPC\)/);
    });

    test('is full from the start: the server says so by a code, and leaves nothing running', async () => {
      const full = '{ head -c 1000000 /dev/zero > "$0/filler" || true; } 2> /dev/null';
      const reason = await startOnSmallDisk('64k', full).then(String, (error: Error) => error.message);
      running.pop();
      expect(reason).toMatch(/ended with 1 [^]*^ERR_(?:SESSION|SKILL)_STORE\n.*disk is full/m);
    });

    test('is read-only: programs run, states and skills are read, and nothing pretends to be kept', async () => {
      const once = 'echo "return 1;" | "$NODE" "$MAIN" run - --json --config "$CONFIG" > "$0/first" 2>&1';
      const ampoule = await startOnSmallDisk('8m', `${once} && mount -o remount,bind,ro "$0"`);
      expect(await ending(ampoule, 'return input * 3;', { input: 7 })).toBe(21);
      expect(await ending(ampoule, 'return input * 3;', { input: 7 })).toBe(21);
      expect(await ending(ampoule, COUNT, { session: 'new' })).toBe('ERR_SESSION_STORE');
      expect(await saveSkill(ampoule, 2)).toBe('ERR_SKILL_STORE');
      expect((await ampoule.execute(LARGE)).output.status).toBe('completed');
    });
  },
);
