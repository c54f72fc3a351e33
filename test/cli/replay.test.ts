import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createLog } from '../../src/log.ts';
import { recordingOf } from '../../src/replay/recording.ts';
import { openReplayExecutor, type ReplayExecutor } from '../../src/replay/replay-executor.ts';
import { replay, type Replayed } from '../../src/replay/replay.ts';
import type { ExecuteOutput } from '../../src/result/output-schema.ts';
import { LIMIT_DEFAULTS } from '../server/canned-port.ts';
import { RecordingSandbox } from './recording-sandbox.ts';

const EMAIL = 'jo.doe@example.org';
let recorder: RecordingSandbox;
beforeAll(async () => {
  recorder = await RecordingSandbox.open({ 'prices.csv': 'tea,3\n', 'gone.csv': 'x\n' });
});
afterAll(async () => {
  await (await opened)?.[Symbol.asyncDispose]();
  await recorder[Symbol.asyncDispose]();
});

interface Told {
  readonly status: string;
  readonly differences: { what: string; recorded: string; replayed: string }[];
  readonly outcome?: { fuel: number };
}

async function replayed(
  { executionId }: Pick<ExecuteOutput, 'executionId'>,
  ...args: string[]
): Promise<Told & { code: number | null; text: string }> {
  const { code, stdout, stderr } = await recorder.ampoule(['replay', executionId, '--json', ...args]);
  if (stdout === '') throw new Error(stderr);
  return { code, text: stdout, ...(JSON.parse(stdout) as Told) };
}

/** The same in one process for all of them. */
async function again(output: ExecuteOutput): Promise<Replayed> {
  const { directory } = recorder.sandbox;
  const cacheDirectory = join(directory, 'cache');
  const { hash: engineHash } = inject('engine');
  const mounts = {
    data: join(recorder.outside, 'data'),
    servers: join(directory, 'generated'),
    results: join(cacheDirectory, 'results'),
    skills: join(cacheDirectory, 'skills'),
  };
  const present = () => Promise.reject(new Error('the engine is gone'));
  const log = createLog({ level: 'silent', format: 'json' });
  opened ??= openReplayExecutor({ cacheDirectory, engineHash, present, limits: LIMIT_DEFAULTS, mounts, log });
  const { executor, programFor } = await opened;
  return replay(recordingOf(recorder.stored(output)), executor, {
    sameEngine: true,
    programFor,
    signal: new AbortController().signal,
  });
}
let opened: Promise<ReplayExecutor> | undefined;

describe('a replay of what a server recorded', () => {
  test('has the same end, whatever the run was given', async () => {
    await recorder.sandbox.port.saveSkill(
      { name: 'pricing', description: 'prices', code: 'export const double = (n: number) => n * 2;' },
      { signal: new AbortController().signal, principal: 'local' },
    );
    const session = await recorder.run('import { setState } from "ampoule"; setState("n", 4);', { session: 'new' });
    const kept = await recorder.run('return Array.from({ length: 5000 }, (_, n) => ({ n }));');
    const keptId = kept.kept?.[0]?.uri.split('/').at(-1);
    const runs = {
      calls: await recorder.run('import { post } from "servers/web"; return await Promise.all([1, 2, 3].map((n) => post({ n })));'),
      slept: await recorder.run(
        'console.log("a"); await new Promise((resolve) => setTimeout(resolve, 150)); return Date.now() + Math.random();',
      ),
      state: await recorder.run('import { getState } from "ampoule"; getState().n++; return getState().n;', { session: session.session }),
      input: await recorder.run('return input.map((n) => n + 1);', { input: [1, 2] }),
      skill: await recorder.run('import { double } from "skills/pricing"; return double(4);'),
      file: await recorder.run('import { readFile } from "ampoule"; return await readFile("data/prices.csv");'),
      missing: await recorder.run(
        'import { readFile } from "ampoule"; return await readFile("data/none.csv").catch((error) => error.code);',
      ),
      wrapper: await recorder.run('import { readFile } from "ampoule"; return (await readFile("servers/web/index.ts")).length;'),
      result: await recorder.run(
        `import { readFile } from "ampoule"; return (await readFile("results/${keptId}?offset=0&limit=2")).length;`,
      ),
      dry: await recorder.run('import { post } from "servers/web"; return await post({ n: 1 });', { dryRun: true }),
      failed: await recorder.run('import { fail } from "servers/web"; await fail({});'),
      fuel: await recorder.run('for (;;);', { limits: { fuel: 2_000_000 } }),
      kept,
    };
    for (const [name, output] of Object.entries(runs)) {
      const { status, differences, outcome } = await again(output);
      const { fuel } = output.usage;
      expect.soft({ name, status, differences, fuel: outcome?.fuel }).toEqual({ name, status: 'same', differences: [], fuel });
    }
    // And all of it as the command says it.
    expect(await replayed(runs.state)).toMatchObject({ code: 0, status: 'same', sameEngine: true, outcome: { result: '5' } });
    expect(await replayed({ executionId: runs.state.executionId.slice(0, 16) })).toMatchObject({ code: 0, status: 'same' });
    expect(runs).toMatchObject({
      calls: { status: 'completed' },
      state: { result: 5 },
      missing: { result: 'ERR_FILE_NOT_FOUND' },
      skill: { result: 8 },
    });
    expect(runs).toMatchObject({ failed: { status: 'failed' }, fuel: { status: 'failed' }, file: { result: 'tea,3\n' } });
  });

  test('shows and saves what the program saw, and nothing of the machine', async () => {
    const output = await recorder.run(
      'import { customer } from "servers/crm"; const { email } = await customer(); console.log(email); return { email };',
    );
    expect(JSON.stringify(output)).toContain('‹email_');
    const { stdout } = await recorder.ampoule(['replay', output.executionId, '--trace', '--save', 'personal']);
    expect(stdout).toMatch(/#1 +\+0 ms +[\d,]+ fuel +crm\.customer \{\} +→ /);
    expect(stdout).toMatch(/Same: completed, 1 call, 1 log line, [\d,]+ fuel\./);
    const saved = join(recorder.outside, 'personal', output.executionId);
    const files = await Promise.all((await readdir(saved)).map((name) => readFile(join(saved, name), 'utf8')));
    // The tokens are for the agent: the program, and so its recording, has the real values.
    expect(files.join('\n')).toContain(EMAIL);
    for (const text of [stdout.replaceAll(saved, ''), ...files]) {
      for (const path of [recorder.outside, recorder.sandbox.directory]) expect(text).not.toContain(path);
    }
    // A person's values that the agent sends back as tokens are tokens in the record of what it sent.
    const token = /‹email_[0-9a-f]+›/.exec(JSON.stringify(output))?.[0] ?? '';
    const second = await recorder.run('import { post } from "servers/web"; return await post({ to: input });', { input: token });
    const shown = await recorder.ampoule(['replay', second.executionId, '--trace']);
    expect(shown).toMatchObject({ code: 0, stdout: expect.not.stringContaining(EMAIL) });
  });

  test('names a file that has changed, and one that is gone', async () => {
    const read = 'import { readFile } from "ampoule"; return await readFile("data/gone.csv");';
    const output = await recorder.run(read);
    const file = join(recorder.outside, 'data', 'gone.csv');
    await writeFile(file, 'changed\n');
    const changed = await replayed(output);
    expect(changed).toMatchObject({
      code: 1,
      status: 'different',
      differences: [{ what: 'file data/gone.csv', replayed: expect.stringContaining('8 bytes') }],
    });
    expect(changed.differences).toHaveLength(1);
    const refused = await recorder.ampoule(['replay', output.executionId, '--save', 'changed']);
    expect(refused).toMatchObject({ code: 1, stdout: expect.stringContaining('Not saved') });
    await rm(file);
    expect((await replayed(output)).differences).toMatchObject([{ what: 'file data/gone.csv', replayed: 'cannot be read' }]);
    await expect(readdir(join(recorder.outside, 'changed'))).rejects.toThrow('ENOENT');
  });

  test('of a run that waits goes up to now, and shows what it waits for', async () => {
    const output = await recorder.run('console.log("on"); await new Promise((resolve) => setTimeout(resolve, 3_600_000));', {
      wait: 'return-when-waiting',
    });
    expect(output.status).toBe('waiting');
    const { code, stdout } = await recorder.ampoule(['replay', output.executionId]);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^Stopped, after [\d,]+ fuel\. It waits for a timer, due at \+3,600,\d+ ms\.\n$/),
    });
    const until = await recorder.ampoule(['replay', output.executionId, '--until', '1']);
    expect(until).toMatchObject({ code: 0, stdout: expect.stringMatching(/^It makes no call 1\.\nStopped, after /) });
    const save = await recorder.ampoule(['replay', output.executionId, '--save', 'waiting']);
    expect(save).toMatchObject({ code: 1, stderr: expect.stringContaining('has not ended') });
    const { structured } = await recorder.sandbox.port.cancelExecution(output.executionId, {
      signal: new AbortController().signal,
      principal: 'local',
    });
    expect(structured).toMatchObject({ status: 'failed', error: { code: 'ERR_EXECUTE_CANCELLED' } });
    await recorder.untilEnded(output);
    const cancelled = await recorder.ampoule(['replay', output.executionId]);
    expect(cancelled).toMatchObject({ code: 0, stdout: expect.stringContaining('ERR_EXECUTE_CANCELLED), which cannot be repeated') });
  });

  test('refuses what there is nothing of', async () => {
    const syntax = await recorder.run('return (');
    const cases: [string, string][] = [
      [syntax.executionId, 'ERR_EXECUTION_UNKNOWN'],
      ['exe_nothing', 'ERR_EXECUTION_UNKNOWN'],
      ['\u001B[2J', 'ERR_EXECUTION_UNKNOWN'],
    ];
    for (const [id, code] of cases) {
      const { stderr, ...rest } = await recorder.ampoule(['replay', id]);
      expect({ ...rest, stderr }).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(code) });
      expect(stderr).not.toContain('\u001B');
    }
    for (const until of ['0', '-1', 'x', '1.5']) {
      expect(await recorder.ampoule(['replay', 'exe_1', `--until=${until}`])).toMatchObject({ code: 2 });
    }
    expect(await recorder.ampoule(['replay', 'exe_1', '--save', ''])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('name a folder'),
    });
    expect(await recorder.ampoule(['replay', 'exe_1', '--until', '1', '--save', 'x'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('cannot be used with'),
    });
  });

  test('stops at a call, with what is pending there', async () => {
    const output = await recorder.run(
      'import { post, read } from "servers/web"; await Promise.all([post({ n: 1 }), post({ n: 2 })]); return await read({});',
    );
    const { stdout } = await recorder.ampoule(['replay', output.executionId, '--until', '2']);
    const lines = stdout.trim().split('\n');
    expect(lines[0]).toBe('Stopped. It waits for 2 calls.');
    expect(lines.slice(1)).toEqual([
      expect.stringMatching(/#1 .*web\.post .*\(pending\)$/),
      expect.stringMatching(/#2 .*web\.post .*\(pending\)$/),
    ]);
    const traced = await recorder.ampoule(['replay', output.executionId, '--trace', '--json']);
    const made = {
      server: 'web',
      tool: 'post',
      arguments: '{"n":1}',
      atMs: expect.any(Number),
      fuel: expect.any(Number),
      answer: { ok: true },
    };
    const { calls, status } = JSON.parse(traced.stdout) as { calls: object[]; status: string };
    expect([status, calls.length, calls[0]]).toMatchObject(['same', 3, { number: 1, ...made }]);
    expect((await recorder.ampoule(['replay', output.executionId, '--until', '9'])).stdout).toMatch(/^It makes no call 9\.\nSame: /);
  });
});
