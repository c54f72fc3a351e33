import { createServer } from 'node:net';
import { mkdir, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { answerOf, fixture, packaged, spawnAmpoule, startAmpoule, temporary, writeConfig, type Ampoule } from './harness.ts';
import { descendants, living, until } from './processes.ts';

const WAITS =
  'import { triggerLongRunningOperation } from "servers/everything"; await triggerLongRunningOperation({ duration: 120, steps: 1 });';

/** It goes on when the server is started again. */
const STOPPED = /^(waiting|running|ERR_SERVER_CLOSING|ERR_EXECUTE_CANCELLED|disconnected)/;
const WAITS_A_WHILE = WAITS.replace('120', '4');
const COMPUTES_A_WHILE = 'let n = 0; for (let i = 0; i < 20_000_000; i++) n += i; return n;';

/** Starts a run and waits until the program computes or waits. What comes of it is in the promise. */
async function begin(ampoule: Ampoule, code: string): Promise<{ answer: Promise<string> }> {
  const client = await ampoule.connect();
  const running = Promise.withResolvers<void>();
  const answer = client.call({ code }, { onprogress: ({ progress }) => void (progress >= 2 && running.resolve()) }).then(
    (result) => answerOf(result).output.error?.code ?? answerOf(result).output.status,
    (error: Error) => `disconnected: ${error.message}`,
  );
  await Promise.race([running.promise, answer.then((early) => Promise.reject(new Error(`it ended at once: ${early}`)))]);
  return { answer };
}

/** Ends the server in the middle of a program; checks what the harness checks of every end, and that it is soon. */
async function stopDuring(ampoule: Ampoule, signal: 'SIGTERM' | 'SIGINT', code: string): Promise<string> {
  expect(descendants(ampoule.pid).filter(({ command }) => command.includes('server-'))).not.toEqual([]);
  const { answer } = await begin(ampoule, code);
  const from = performance.now();
  await ampoule.stop(signal);
  // Ten seconds is when it would be ended the hard way.
  expect(performance.now() - from).toBeLessThan(9_000);
  return answer;
}

async function replaceExecutor(ampoule: Ampoule): Promise<void> {
  const before = ampoule.executor();
  process.kill(before, 'SIGKILL');
  await until('there is another executor', () =>
    descendants(ampoule.pid).some(({ pid, command }) => pid !== before && command.includes('execut')),
  );
}

describe.concurrent('processes', () => {
  test('SIGTERM while an upstream server never gets ready: exit code 0, and that server is gone too', async () => {
    await using folder = await temporary();
    const config = await writeConfig(folder.path, { check: 'off', mcpServers: { silent: fixture('silent') } });
    const child = spawnAmpoule(['serve', '--http', '127.0.0.1:0', '--config', config]);
    child.stdout?.resume();
    child.stderr?.resume();
    const closed = new Promise((resolve) => child.once('close', resolve));
    const silent = (): number[] =>
      descendants(child.pid ?? 0)
        .filter(({ command }) => command.includes('silent.ts'))
        .map(({ pid }) => pid);
    await until('the upstream server has started', () => silent().length > 0, 60_000);
    const pids = silent();
    child.kill('SIGTERM');
    expect(await closed).toBe(0);
    expect(living(pids)).toEqual([]);
  });

  test('the runs of a killed executor go on in the next one; SIGINT while a program waits for a tool: an answer, exit code 0, no process left', async () => {
    const ampoule = await startAmpoule({ check: 'off', mcpServers: { everything: packaged('everything'), memory: packaged('memory') } });
    let ending = '';
    try {
      expect(await ampoule.result('return "before";')).toBe('before');
      const first = ampoule.executor();
      for (const code of [COMPUTES_A_WHILE, WAITS_A_WHILE]) {
        const { answer } = await begin(ampoule, code);
        process.kill(ampoule.executor(), 'SIGKILL');
        expect(await answer).toBe('completed');
        expect(await ampoule.result('return "before";')).toBe('before');
      }
      expect(ampoule.executor()).not.toBe(first);
    } finally {
      ending = await stopDuring(ampoule, 'SIGINT', WAITS);
    }
    expect(ending).toMatch(STOPPED);
  });

  test('with two executors the runs of one that is killed go on, and those of the other too', async () => {
    const ampoule = await startAmpoule({ executors: 2, workers: 2, mcpServers: { everything: packaged('everything') } });
    try {
      const wait =
        'import { triggerLongRunningOperation } from "servers/everything"; await triggerLongRunningOperation({ duration: 3, steps: 1 }); return 1;';
      const runs = [await begin(ampoule, wait), await begin(ampoule, wait)];
      const killed = ampoule.executor();
      process.kill(killed, 'SIGKILL');
      await until('the end was seen', () => {
        const executors = descendants(ampoule.pid).filter(({ command }) => /executor.executor\.[jt]s/.test(command));
        return executors.length === 2 && executors.every(({ pid }) => pid !== killed);
      });
      expect(await ampoule.result('return "meanwhile";')).toBe('meanwhile');
      const ends = await Promise.all(runs.map(({ answer }) => answer));
      expect(ends).toEqual(['completed', 'completed']);
    } finally {
      await ampoule.stop();
    }
  });

  test('a server that is killed takes everything that it started with it', async () => {
    await using folder = await temporary();
    const config = await writeConfig(folder.path, { executors: 2, mcpServers: { everything: packaged('everything') } });
    const child = spawnAmpoule(['serve', '--stdio', '--config', config]);
    child.stdout?.resume();
    child.stderr?.resume();
    const kinds = [/executor.executor\.[jt]s/, /executor.executor\.[jt]s/, /esbuild.*--service/, /tsc.*--api/, /server-everything/];
    const below = (): string[] => descendants(child.pid ?? 0).map(({ command }) => command);
    const all = (): boolean => {
      const commands = below();
      return kinds.every((kind) => {
        const at = commands.findIndex((command) => kind.test(command));
        if (at >= 0) commands.splice(at, 1);
        return at >= 0;
      });
    };
    await until('executors, bundler, checker and upstream server run', all, 60_000);
    const pids = descendants(child.pid ?? 0).map(({ pid }) => pid);
    child.kill('SIGKILL');
    await until('all are gone', () => living(pids).length === 0);
    expect(living(pids)).toEqual([]);
  });

  test('a server whose queue is full says that it is busy, and works on; SIGTERM while a program computes: a coded answer, exit code 0, no process left', async () => {
    const limits = { maxQueuedRuns: 0, maxRunsPerWorker: 1 };
    const ampoule = await startAmpoule({ check: 'off', mcpServers: { everything: packaged('everything') }, limits });
    let ending = '';
    try {
      const { answer } = await begin(ampoule, 'await new Promise((resolve) => setTimeout(resolve, 2_000));');
      const busy = (): Promise<boolean> => ampoule.execute('return 1;').then(({ output }) => output.error?.code === 'ERR_EXECUTE_BUSY');
      await until('a second run is refused', busy);
      expect(await answer).toBe('completed');
      expect(await ampoule.result('return "next";')).toBe('next');
    } finally {
      ending = await stopDuring(ampoule, 'SIGTERM', 'for (;;);');
    }
    expect(ending).toMatch(STOPPED);
  });

  test('SIGTERM ends `ampoule run` too, with an exit code that is not 0 and no process left', async () => {
    await using folder = await temporary();
    const config = await writeConfig(folder.path, { mcpServers: { everything: packaged('everything') } });
    const child = spawnAmpoule(['run', '-', '--json', '--config', config]);
    child.stdin?.end('for (;;);');
    child.stderr?.resume();
    const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
    const stdout = readAll(child.stdout!);
    const below = (): number[] => descendants(child.pid ?? 0).map(({ pid }) => pid);
    await until('executor and upstream server run', () => below().length >= 2, 60_000);
    const pids = below();
    child.kill('SIGTERM');
    // 1 for a run that was cancelled, 130 when it had not begun.
    expect([1, 130]).toContain(await closed);
    expect(await stdout).toMatch(/^$|"ERR_EXECUTE_CANCELLED"/);
    expect(living(pids)).toEqual([]);
  });

  test('an occupied port is told by code, and nothing is left running', async () => {
    await using folder = await temporary();
    const config = await writeConfig(folder.path, { mcpServers: { everything: packaged('everything') } });
    const blocker = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => blocker.once('listening', resolve));
    const address = blocker.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const child = spawnAmpoule(['serve', '--config', config, '--http', `127.0.0.1:${port}`]);
    const seen = new Set<number>();
    const watch = setInterval(() => descendants(child.pid ?? 0).forEach(({ pid }) => seen.add(pid)), 100);
    const closed = new Promise((resolve) => child.once('close', resolve));
    const [stdout, stderr, code] = await Promise.all([readAll(child.stdout!), readAll(child.stderr!), closed]);
    clearInterval(watch);
    blocker.close();
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toContain('ERR_SERVER_LISTEN');
    expect(stderr).toContain(String(port));
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(living([...seen])).toEqual([]);
  });

  test('over stdio, stdout carries MCP only, and the server ends when stdin closes in the middle of a run', async () => {
    await using folder = await temporary();
    const config = await writeConfig(folder.path, { check: 'off', mcpServers: { everything: packaged('everything') } });
    const child = spawnAmpoule(['serve', '--stdio', '--config', config]);
    child.stderr?.resume();
    let stdout = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    const closed = new Promise((resolve) => child.once('close', resolve));
    const send = (message: object): unknown => child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
    const call = (id: number, code: string): unknown =>
      send({ id, method: 'tools/call', params: { name: 'execute_code', arguments: { code }, _meta: { progressToken: id } } });
    send({
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
    });
    await until('it is initialized', () => stdout.includes('"id":1'), 60_000);
    send({ method: 'notifications/initialized' });
    call(2, 'import { echo } from "servers/everything"; console.log("x"); return echo({ message: "over stdio" });');
    await until('it has answered', () => stdout.includes('Echo: over stdio'));
    call(3, 'for (;;);');
    await until('it runs', () => stdout.split('\n').some((line) => line.includes('"progressToken":3') && line.includes('Running')));
    const pids = descendants(child.pid ?? 0).map(({ pid }) => pid);
    child.stdin?.end();
    expect(await closed).toBe(0);
    expect(living(pids)).toEqual([]);
    for (const line of stdout.trimEnd().split('\n')) expect(JSON.parse(line)).toMatchObject({ jsonrpc: '2.0' });
  });

  test('a damaged and a half-written program are found, dropped and made again, with the same result', async () => {
    await using folder = await temporary();
    const code = 'let n = 0; for (const c of "some program") n = n * 31 + c.charCodeAt(0) | 0; return n;';
    const programs = join(folder.path, 'cache', 'programs');
    const entries = async (): Promise<string[]> =>
      (await readdir(programs, { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isFile() && !entry.name.endsWith('.tmp'))
        .map((entry) => join(entry.parentPath, entry.name));
    const ampoule = await startAmpoule({ check: 'off', mcpServers: {} }, { directory: folder.path });
    try {
      const { output: first } = await ampoule.execute(code);
      // An answer does not wait for the disk.
      await until('the program is stored', async () => (await entries()).length === 1);
      const [path = ''] = await entries();
      const good = await readFile(path);
      const damages: [string, string, () => Promise<unknown>][] = [
        ['nothing', 'hit', () => Promise.resolve()],
        ['a flipped byte', 'miss', () => writeFile(path, good.with(good.length - 9, (good.at(-9) ?? 0) ^ 1))],
        ['half of it', 'miss', () => truncate(path, good.length >> 1)],
      ];
      for (const [what, cache, damage] of damages) {
        await damage();
        // A new executor has nothing in memory: it gets the program from the disk.
        await replaceExecutor(ampoule);
        const { output } = await ampoule.execute(code);
        expect({ what, result: output.result, cache: output.usage.cache }).toEqual({ what, result: first.result, cache });
        await until('the entry is good again', async () => good.equals(await readFile(path).catch(() => Buffer.alloc(0))));
      }
      expect(ampoule.stderr.match(/was deleted/g)).toHaveLength(2);
    } finally {
      await ampoule.stop();
    }
  });

  test('two servers on one cache folder start together, and share programs and sessions', async () => {
    await using folder = await temporary();
    await mkdir(join(folder.path, 'cache'));
    const config = { check: 'off', mcpServers: {} };
    const [one, two] = await Promise.all([1, 2].map(() => startAmpoule(config, { directory: folder.path })));
    try {
      const code = 'import { setState } from "ampoule"; setState("by", input); return "Echo: " + input;';
      const answers = await Promise.all([one!, two!].map((ampoule, n) => ampoule.execute(code, { input: `n${n}`, session: 'new' })));
      expect(answers.map(({ output }) => output.result)).toEqual(['Echo: n0', 'Echo: n1']);
      const state = await two!.result('import { getState } from "ampoule"; return getState();', { session: answers[0]!.output.session });
      expect(state).toEqual({ by: 'n0' });
    } finally {
      await Promise.all([one!.stop(), two!.stop()]);
    }
  });
});
