import { appendFile, cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { executorFlags } from '../../src/execute/executor-flags.ts';
import { SupervisedExecutor } from '../../src/execute/supervised-executor.ts';
import { until } from '../e2e/processes.ts';
import { CHECKOUT, CODE, codeFile, PACKAGE } from '../support/code.ts';
import { memoryStore, resultOf, runBody, testInit } from '../support/executor.ts';
import type { Targets } from '../fixtures/executors/probe.ts';

/** A real executor, started as always, with a probe in its main thread and in its workers that tries to get out. */

const found: Record<string, Record<string, string>> = {};
let stderr = '';
let folder: string;
let server: Server;
let executor: SupervisedExecutor;
let connections = 0;

beforeAll(async () => {
  // With a blank and a comma in its path, because flags have paths in them.
  folder = join(await realpath(await mkdtemp(join(tmpdir(), 'ampoule-confined-'))), 'a copy, of it');
  server = createServer(() => connections++).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const mount = join(folder, 'mount');
  await mkdir(mount, { recursive: true });
  await Promise.all([writeFile(join(mount, 'good.txt'), 'good'), writeFile(join(folder, 'mount-secret'), 'secret')]);
  await writeFile(join(folder, 'sessions.db'), 'secret');
  const targets: Targets = {
    secret: join(folder, 'sessions.db'),
    mounted: join(mount, 'good.txt'),
    outside: join(folder, 'mount-secret'),
    port: (server.address() as AddressInfo).port,
    gateway: process.pid,
  };
  const copy = join(folder, 'code');
  await copyWithProbe(copy, targets);
  const moved = executorFlags().map((flag) =>
    flag.replace(`=${CODE}${sep}src`, `=${copy}${sep}src`).replace(`=${CODE}${sep}host`, `=${copy}${sep}host`),
  );
  const flags = [...moved, `--allow-fs-read=${copy}${sep}package.json`, `--allow-fs-read=${copy}${sep}node_modules`];
  const program = { entry: fileIn(copy, 'executor'), flags };
  const log = {
    debug: (text: string) => void (stderr += `${text.replace(/^executor: /, '')}\n`),
    warn: (text: string) => void (stderr += text),
  };
  executor = new SupervisedExecutor({ init: { ...testInit(), mounts: { files: mount } }, programs: memoryStore(), log, program });
  await executor.ready.catch((error: unknown) => Promise.reject(new Error(stderr, { cause: error })));
  await until('both threads have reported', () => reports() === 2);
}, 60_000);

afterAll(async () => {
  await executor.close();
  server.close();
  await rm(join(folder, '..'), { recursive: true, force: true });
});

/** The executor's code, with the probe behind what each of its threads does first. */
async function copyWithProbe(copy: string, targets: Targets): Promise<void> {
  for (const name of ['src', 'host-functions']) await cp(join(CODE, name), join(copy, name), { recursive: true });
  await cp(join(PACKAGE, 'package.json'), join(copy, 'package.json'));
  await symlink(join(CHECKOUT, 'node_modules'), join(copy, 'node_modules'));
  for (const thread of ['executor', 'worker']) {
    const file = fileIn(copy, thread);
    await cp(join(CHECKOUT, 'test', 'fixtures', 'executors', 'probe.ts'), join(dirname(file), 'probe.ts'));
    expect(await readFile(file, 'utf8')).toContain('\nconfineThread();\n');
    await appendFile(
      file,
      `import { probe } from './probe.ts';\nprobe(${JSON.stringify(targets)}).then((found) => console.error('\\n' + JSON.stringify({ thread: '${thread}', found })));\n`,
    );
  }
}

/** What a thread of the executor begins with, as it is packed. */
function fileIn(copy: string, thread: string): string {
  return join(copy, relative(CODE, codeFile(join('src', 'execute', thread, thread))));
}

function reports(): number {
  for (const line of stderr.split('\n')) {
    if (!line.startsWith('{"thread"')) continue;
    const report = JSON.parse(line) as { thread: string; found: Record<string, string> };
    found[report.thread] = report.found;
  }
  return Object.keys(found).length;
}

describe.each(['executor', 'worker'])('in the %s thread', (thread) => {
  test('nothing that the probe tries succeeds', () => {
    const { 'read a mounted file': mounted, ...tried } = found[thread] ?? {};
    expect(Object.keys(tried).length).toBeGreaterThan(55);
    const succeeded = Object.entries(tried).filter(
      ([name, got]) => got !== 'no' && !(thread === 'executor' && name.startsWith('as only the main thread can:')),
    );
    expect(succeeded).toEqual([]);
    // A worker may read the mounts, and the main thread has no need to.
    expect(mounted).toMatch(thread === 'worker' ? /^good$/ : /has been restricted/);
  });
});

test('none of it reached anybody, and the executor works on', async () => {
  expect(connections).toBe(0);
  expect(resultOf(await runBody(executor, 'return (await ampoule.readFile("files/good.txt")).length'))).toBe(4);
});
