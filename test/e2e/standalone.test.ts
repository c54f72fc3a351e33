import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { componentWit } from '@bytecodealliance/jco';
import { createBundler } from '../../src/bundle/bundler.ts';
import { bundleGuest } from '../../src/bundle/guest.ts';
import { programKey } from '../../src/component/program-key.ts';
import { LIMITS } from '../../src/limits.ts';
import { cli } from '../cli/run-cli.ts';
import { DEFAULT_RUN_LIMITS, openTestExecutor, resultOf } from '../support/executor.ts';

import { fixture, temporary, writeConfig, type Ampoule, startAmpoule } from './harness.ts';
import { runComponent } from './plain-host.ts';

const COMPUTES = `type Row = { readonly name: string; size: number };
const rows: Row[] = Array.from({ length: 50 }, (_, n) => ({ name: \`row \${n}\`, size: (n * 7919) % 101 }));
const top = rows.toSorted((a, b) => b.size - a.size || a.name.localeCompare(b.name)).slice(0, 3);
await new Promise((resolve) => setTimeout(resolve, 5));
return { top, input, text: new TextDecoder().decode(new TextEncoder().encode("grüße")), url: new URL("https://a.example/b?c=1").search };`;

const CALLS = `import { echo, text } from "servers/answers";
import { getState, log } from "ampoule";
const [first, second, plain] = await Promise.all([echo({ n: 1 }), echo({ n: input }), text()]);
const state = getState<{ seen?: number }>();
state.seen = (state.seen ?? 0) + 1;
log("info", "three answers");
return { first, second, plain };`;

/** Calls by name and asks for clock and randomness, so that seed and time matter. */
const SEEDED = `import { callTool } from "ampoule";
const answer = await callTool("any", "tool", { random: Math.random(), id: crypto.randomUUID(), at: new Date().toISOString() });
await new Promise((resolve) => setTimeout(resolve, 20));
return { answer, later: Date.now(), random: Math.random() };`;

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);
const SEED = '0123456789abcdef'.repeat(4);
const answers = (_server: string, tool: string, args: unknown): unknown => (tool === 'text' ? 'plain' : args);

const folder = await temporary();
let config = '';
let ampoule: Ampoule;
beforeAll(async () => {
  ampoule = await startAmpoule({ check: 'off', mcpServers: { answers: fixture('answers') } }, { directory: folder.path });
  config = await writeConfig(folder.path, { mcpServers: { answers: fixture('answers') }, log: { level: 'warn', format: 'json' } });
});
afterAll(async () => {
  await ampoule.stop();
  await folder[Symbol.asyncDispose]();
});

describe('ampoule build', () => {
  async function build(code: string): Promise<Uint8Array> {
    const out = join(folder.path, `${crypto.randomUUID()}.wasm`);
    const { code: exit, stdout, stderr } = await cli(['build', '-', '-o', out, '--config', config], { stdin: code });
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    const component = await readFile(out);
    expect(stdout).toBe(`${out}: ${component.length} bytes, program ${/program (\w{64})/.exec(stdout)?.[1]}\n`);
    return component;
  }

  test('writes a component, the same each time, that gives the result of execute_code when jco runs it alone', async () => {
    const [component, again] = await Promise.all([build(COMPUTES), build(COMPUTES)]);
    expect(Buffer.compare(component, again)).toBe(0);
    const input = { any: ['json', 1] };
    const { ending, result } = await runComponent(component, folder.path, { input, now: NOW, seed: SEED });
    expect(ending).toEqual({ status: 'completed' });
    expect(result).toEqual(await ampoule.result(COMPUTES, { input }));
  });

  test('writes a component that calls tools, keeps state and logs through its four imports alone', async () => {
    const component = await build(CALLS);
    const wit = await componentWit(component);
    expect([...wit.matchAll(/^\s*import ([^;]+);/gm)].map(([, name]) => name)).toEqual(['ampoule:sandbox/host']);
    const alone = await runComponent(component, folder.path, { input: 7, now: NOW, seed: SEED, state: { seen: 4 }, answer: answers });
    const { output } = await ampoule.execute(CALLS, { input: 7 });
    expect(alone).toEqual({
      ending: { status: 'completed' },
      result: output.result,
      state: { seen: 5 },
      logs: output.logs.map(({ level, message }) => `${level} ${message}`),
    });
  });

  test('refuses code with a syntax error, and a file that cannot be written', async () => {
    const results = await Promise.all([
      cli(['build', '-', '-o', join(folder.path, 'never.wasm'), '--config', config], { stdin: 'return (;' }),
      cli(['build', '-', '-o', join(folder.path, 'no', 'such', 'folder.wasm'), '--config', config], { stdin: 'return 1;' }),
    ]);
    expect(results.map(({ code, stdout }) => ({ code, stdout }))).toEqual([1, 1].map((code) => ({ code, stdout: '' })));
    expect(results[0]?.stderr).toContain('ERR_BUNDLE_SYNTAX');
    expect(results[1]?.stderr).toContain('ERR_CLI_FILE');
  });
});

test('the same bundle made the classic way, by componentize-js alone, gives the same result', async () => {
  await using bundler = createBundler({
    libraries: [],
    resolveFrom: folder.path,
    maxSourceBytes: LIMITS.maxSourceBytes.default,
    maxBundleBytes: LIMITS.maxBundleBytes.default,
  });
  const never = new AbortController().signal;
  const { script } = await bundler.bundle({ code: SEEDED, wrappers: { hash: '', files: new Map(), tools: [] } }, never);

  const paths = ['guest.js', 'world.wit', 'classic.wasm'].map((name) => join(folder.path, name));
  const [source = '', wit = '', out = ''] = paths;
  await writeFile(
    source,
    `${await bundleGuest('starlingmonkey', { locales: ['en'], timeZones: 'all' })}\nif (load(${JSON.stringify(script)}) !== "") throw new Error("refused");\n`,
  );
  await writeFile(wit, await readFile(new URL('../../host-functions/world.wit', import.meta.url)));
  const tool = fileURLToPath(new URL('../fixtures/e2e/componentize-alone.ts', import.meta.url));
  await promisify(execFile)(process.execPath, [tool, ...paths], { cwd: folder.path, timeout: 120_000 });
  const classic = await runComponent(await readFile(out), folder.path, { now: NOW, seed: SEED, answer: answers });

  await using executor = closing(await openTestExecutor());
  const request = {
    executionId: 'exe_test',
    program: { key: programKey({ script, engineHash: inject('engine').hash }), script },
    input: 'null',
    state: '{}',
    limits: DEFAULT_RUN_LIMITS,
    now: NOW,
    seed: SEED,
  };
  const ours = resultOf(await executor.run(request, (call) => Promise.resolve({ ok: true, value: call.arguments }), never)) as Seeded;
  expect(classic.ending).toEqual({ status: 'completed' });
  const theirs = classic.result as Seeded;
  expect({ ...theirs, later: 0 }).toEqual({ ...ours, later: 0 });
  // Real time passed in the one, exactly the timer's in the other.
  expect(theirs.later).toBe(NOW + 20);
  expect(ours.later).toBeGreaterThanOrEqual(NOW + 20);
});

interface Seeded {
  readonly answer: object;
  readonly later: number;
  readonly random: number;
}

function closing<T extends { close(): Promise<void> }>(resource: T): T & AsyncDisposable {
  return Object.assign(resource, { [Symbol.asyncDispose]: () => resource.close() });
}
