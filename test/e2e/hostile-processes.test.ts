import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { cp, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { inject, describe, expect, test } from 'vitest';
import { connect as connectClient } from '../server/clients.ts';
import { answerOf, fixture, MAIN, PROCESS_BOUND_MS, spawnAmpoule, startAmpoule, temporary, writeConfig } from './harness.ts';
import { descendants, living, until } from './processes.ts';

/** Runs a program at a server that was started by hand. Throws, with the whole answer and the server's log, when it does not complete. */
async function resultAt({ url, stderr }: Started, code: string): Promise<unknown> {
  const client = await connectClient('v2 client, 2026-07-28', { url });
  try {
    const { output } = answerOf(await client.call({ code }));
    if (output.status !== 'completed') throw new Error(`${JSON.stringify(output)}\n${stderr()}`);
    return output.result;
  } finally {
    await client.close();
  }
}

interface Started {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly url: string;
  readonly ended: Promise<number | string | null>;
  readonly stderr: () => string;
}

/** A server in a shell that first sets something up. */
async function startIn(setup: string, config: string): Promise<Started> {
  const child = spawn(
    'sh',
    ['-c', `${setup}; exec "$@"`, 'sh', process.execPath, MAIN, 'serve', '--config', config, '--http', '127.0.0.1:0'],
    {
      env: { PATH: process.env['PATH'] ?? '' },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: PROCESS_BOUND_MS,
      killSignal: 'SIGKILL',
    },
  );
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<number | string | null>((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)));
  await until('it is ready', () => stdout.includes('ready http'), 60_000);
  return { child, pid: child.pid ?? 0, url: /ready (\S+)/.exec(stdout)?.[1] ?? '', ended, stderr: () => stderr };
}

/** One that was killed is among them until it has ended: only when there is another one does the server know that it has to wait for it. */
function executorsOf({ pid }: Started): number[] {
  return descendants(pid).flatMap((entry) => (entry.command.includes('executor') ? [entry.pid] : []));
}

const LEAVES = 'import { leaves } from "servers/hostile"; return (await leaves({}) as { pids: number[] }).pids;';
const stubborn = (): object => {
  const { command, args } = fixture('hostile') as { command: string; args: string[] };
  return { command, args: [...args, 'stubborn'] };
};

describe.concurrent('processes of a hostile upstream', () => {
  test.each(['SIGTERM', 'SIGHUP'] as const)('all end with a server that is ended by %s, whatever they ignore', async (signal) => {
    await using folder = await temporary();
    const config = await writeConfig(folder.path, { check: 'off', mcpServers: { hostile: stubborn() } });
    const started = await startIn(':', config);
    const pids = (await resultAt(started, LEAVES)) as number[];
    expect(living(pids)).toEqual(pids);
    const all = [...pids, ...descendants(started.pid).map(({ pid }) => pid)];
    started.child.kill(signal);
    expect(await started.ended).toBe(0);
    await until('all are gone', () => living(all).length === 0);
  });

  test('all end soon after a server that was killed', async () => {
    await using folder = await temporary();
    const config = await writeConfig(folder.path, { check: 'off', mcpServers: { hostile: stubborn() } });
    const started = await startIn(':', config);
    const pids = (await resultAt(started, LEAVES)) as number[];
    const all = [...pids, ...descendants(started.pid).map(({ pid }) => pid)];
    expect(living(pids)).toEqual(pids);
    started.child.kill('SIGKILL');
    await until('all are gone', () => living(all).length === 0);
  });

  test('have no open file of the server but their own three', async () => {
    const ampoule = await startAmpoule({ check: 'off', mcpServers: { hostile: fixture('hostile') } });
    try {
      const found = descendants(ampoule.pid).find(({ command }) => command.includes('hostile.ts'));
      const linksOf = async (pid: number): Promise<string[]> => {
        const names = await readdir(`/proc/${pid}/fd`);
        const links = await Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => '')));
        return links.filter((link) => /^(?:socket|pipe):|\.db/.test(link));
      };
      const [ours, its, tests] = await Promise.all([ampoule.pid, found?.pid ?? 0, process.pid].map(linksOf));
      expect(its?.length).toBeGreaterThan(3);
      // What the tests were started with themselves comes down to everybody.
      expect(its?.filter((link) => ours?.includes(link) === true && tests?.includes(link) !== true)).toEqual([]);
    } finally {
      await ampoule.stop();
    }
  });
});

describe.concurrent('a server', () => {
  test('with few descriptors, all connections taken and its executor and bundler killed, goes on', async () => {
    await using folder = await temporary();
    const started = await startIn('ulimit -n 200', await writeConfig(folder.path, { check: 'off', mcpServers: {} }));
    const port = Number(new URL(started.url).port);
    expect(await resultAt(started, 'return 2 + 2;')).toBe(4);
    const taken = Array.from({ length: 300 }, () => connect(port, '127.0.0.1').on('error', () => undefined));
    await until('the connections are taken', async () => (await readdir(`/proc/${started.pid}/fd`)).length > 120);
    const before = descendants(started.pid).filter(({ command }) => /executor|esbuild/.test(command));
    for (const { pid } of before) process.kill(pid, 'SIGKILL');
    const killed = new Set(before.map(({ pid }) => pid));
    await until('there is another executor', () => executorsOf(started).some((pid) => !killed.has(pid)));
    for (const socket of taken) socket.destroy();
    expect(await resultAt(started, 'enum A { X = 4 } return A.X;')).toBe(4);
    started.child.kill('SIGTERM');
    expect(await started.ended).toBe(0);
  });

  test('whose standard output and error are closed goes on, also when it has something to say', async () => {
    await using folder = await temporary();
    const config = await writeConfig(folder.path, { check: 'off', log: { level: 'debug' }, mcpServers: { hostile: fixture('hostile') } });
    const started = await startIn(':', config);
    started.child.stdout?.destroy();
    started.child.stderr?.destroy();
    const crash = 'import { crash } from "servers/hostile"; try { await crash({}); } catch (e) { return e.code; }';
    expect(await resultAt(started, crash)).toBe('ERR_UPSTREAM_CLOSED');
    expect(await resultAt(started, 'return 2 + 2;')).toBe(4);
    started.child.kill('SIGTERM');
    expect(await started.ended).toBe(0);
  });

  test('gives an executor that is started again the engine that it checked, not what its files have become', async () => {
    await using folder = await temporary();
    const config = await writeConfig(folder.path, { check: 'off', mcpServers: {} });
    const engine = join(folder.path, 'cache', 'engine');
    await rm(engine);
    await cp(inject('engine').directory, join(engine, inject('engine').directory.split('/').at(-1) ?? ''), { recursive: true });
    const started = await startIn(':', config);
    expect(await resultAt(started, 'return "first";')).toBe('first');
    const files = (await readdir(engine, { recursive: true })).filter((name) => name.endsWith('.wasm'));
    expect(files.length).toBeGreaterThan(0);
    for (const name of files) await writeFile(join(engine, name), Buffer.from('\0asm\x01\0\0\0'));
    const [first = 0] = executorsOf(started);
    process.kill(first, 'SIGKILL');
    await until('there is another executor', () => executorsOf(started).some((pid) => pid !== first));
    expect(await resultAt(started, 'return "second";')).toBe('second');
    started.child.kill('SIGTERM');
    expect(await started.ended).toBe(0);
  });

  test('starts with pipes in the places of files that it can do without, and says so', async () => {
    await using folder = await temporary();
    const config = await writeConfig(folder.path, { check: 'off', mcpServers: {} });
    const names = ['audit.db', 'learned.db', 'drift.db'];
    execFileSync(
      'mkfifo',
      names.map((name) => join(folder.path, 'cache', name)),
    );
    const started = await startIn(':', config);
    expect(await resultAt(started, 'return 2 + 2;')).toBe(4);
    expect(names.filter((name) => !new RegExp(`ENXIO.*${name}`).test(started.stderr()))).toEqual([]);
    started.child.kill('SIGTERM');
    expect(await started.ended).toBe(0);
  });

  test('does not start with a pipe in the place of its sessions: it ends at once, with a code', async () => {
    await using folder = await temporary();
    const config = await writeConfig(folder.path, { check: 'off', mcpServers: {} });
    execFileSync('mkfifo', [join(folder.path, 'cache', 'sessions.db')]);
    const child = spawnAmpoule(['serve', '--config', config, '--http', '127.0.0.1:0']);
    let stderr = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(1);
    expect(stderr).toContain('ERR_SESSION_STORE');
  });
});
