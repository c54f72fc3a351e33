import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import type { Bundle } from '../../src/bundle/bundle.ts';
import { SandboxError } from '../../src/errors.ts';
import { bundleCode, errorOf, openBundler, runScript, WRAPPERS } from './fixture.ts';

const KIB = 1024;
/** Makes a program one that esbuild has to look at. */
const FOR_ESBUILD = 'enum Kind { One }\n';
const bundler = openBundler();
afterAll(() => bundler.close());

/** Process ids of the bundler's own children of this process, esbuild's service. */
function esbuildChildren(): number[] {
  const table = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(process.pid)], { encoding: 'utf8' });
  return table.split('\n').flatMap((row) => (row.includes('--service=') ? [Number.parseInt(row, 10)] : []));
}

async function worksStill(): Promise<void> {
  expect(await runScript(await bundleCode(bundler, `${FOR_ESBUILD}return 2 + 2 // ${Math.random()}`))).toBe(4);
}

test('the next bundle works after the service was killed', async () => {
  await worksStill();
  const before = esbuildChildren();
  expect(before).toHaveLength(1);
  for (const pid of before) process.kill(pid, 'SIGKILL');
  await worksStill();
  expect(esbuildChildren()).not.toEqual(before);
});

test('the service finds nothing of our environment in its own', async () => {
  await worksStill();
  const [pid] = esbuildChildren();
  const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean);
  expect(environment.map((line) => line.split('=')[0])).toEqual(['GOMEMLIMIT', 'GOTRACEBACK']);
  expect(process.env['PATH']).toBeDefined();
});

test('a service that is stopped is replaced, and does not stay behind', async () => {
  await using quick = openBundler({ timeoutMs: 700 });
  await worksStill();
  const [stopped = 0] = esbuildChildren();
  process.kill(stopped, 'SIGSTOP');
  expect((await errorOf(bundleCode(quick, `${FOR_ESBUILD}return 'held up'`))).code).toBe('ERR_BUNDLE_FAILED');
  await expect.poll(esbuildChildren).not.toContain(stopped);
  await worksStill();
});

test('bundles that run while the service is killed succeed', async () => {
  await worksStill();
  const running = Array.from({ length: 20 }, (_, index) => bundleCode(bundler, `${FOR_ESBUILD}return ${index} // killed`));
  setTimeout(() => esbuildChildren().forEach((pid) => process.kill(pid, 'SIGKILL')), 2);
  const results = await Promise.all((await Promise.all(running)).map((bundle) => runScript(bundle)));
  expect(results).toEqual(Array.from({ length: 20 }, (_, index) => index));
  await worksStill();
});

test('many bundles at once succeed', async () => {
  const bundles = await Promise.all(Array.from({ length: 50 }, (_, index) => bundleCode(bundler, `return ${index} // many`)));
  expect(await Promise.all(bundles.map((bundle) => runScript(bundle)))).toEqual(Array.from({ length: 50 }, (_, index) => index));
});

test('closing one bundler leaves another at work', async () => {
  const other = openBundler();
  await bundleCode(other, 'return 1');
  await other.close();
  await other.close();
  await worksStill();
  expect((await errorOf(bundleCode(other, 'return 2'))).code).toBe('ERR_BUNDLE_FAILED');
});

test('an abort ends the wait at once with its reason', async () => {
  const controller = new AbortController();
  const work = bundler.bundle({ code: 'f<(f<('.repeat(400), wrappers: WRAPPERS }, controller.signal);
  const began = performance.now();
  setTimeout(() => controller.abort(new Error('enough')), 20);
  await expect(work).rejects.toThrow('enough');
  expect(performance.now() - began).toBeLessThan(1000);
  await expect(bundler.bundle({ code: 'return 1', wrappers: WRAPPERS }, controller.signal)).rejects.toThrow('enough');
});

test('code that is made to be parsed for ever fails in time, and others go on meanwhile', async () => {
  await using quick = openBundler({ timeoutMs: 700 });
  await bundleCode(quick, 'return 1');
  const began = performance.now();
  const slow = errorOf(bundleCode(quick, 'f<(f<('.repeat(500)));
  expect(await runScript(await bundleCode(quick, 'return 3'))).toBe(3);
  const error = await slow;
  expect(error.code).toBe('ERR_BUNDLE_FAILED');
  expect(error.message).toContain('700 ms');
  expect(performance.now() - began).toBeLessThan(3000);
  expect(await runScript(await bundleCode(quick, 'return 4'))).toBe(4);
});

test('a bundle that takes the service too long fails and the service is replaced', async () => {
  const names = Array.from({ length: 3000 }, (_, index) => `t${index}`);
  const files = new Map(
    names.map((name) => [`slow/${name}.ts`, `export const ${name} = ${'[1],'.repeat(200)}1;`.replace('= ', '= [').replace(';', '];')]),
  );
  files.set('slow/index.ts', names.map((name) => `export { ${name} } from "./${name}.ts";\n`).join(''));
  await using impatient = openBundler({ timeoutMs: 60 });
  const code = 'import * as slow from "servers/slow"; return slow';
  const error = await errorOf(bundleCode(impatient, code, { hash: 'slow', files, tools: [] }));
  expect(error.code).toBe('ERR_BUNDLE_FAILED');
  await worksStill();
});

describe('sizes', () => {
  const comment = (bytes: number): string => `//${'x'.repeat(bytes - 2)}`;

  test('a source of exactly the limit is taken, one byte more is not', async () => {
    expect((await bundleCode(bundler, comment(256 * KIB))).script).toContain('$ampouleProgram');
    expect((await errorOf(bundleCode(bundler, comment(256 * KIB + 1)))).code).toBe('ERR_BUNDLE_TOO_LARGE');
  });

  test('the limit counts bytes, not characters', async () => {
    const error = await errorOf(bundleCode(bundler, `//${'é'.repeat(128 * KIB)}`));
    expect(error.message).toContain(String(256 * KIB + 2));
  });

  test('a script of exactly the limit is taken, one byte less is not enough', async () => {
    const code = 'return "size"';
    const bytes = Buffer.byteLength((await bundleCode(bundler, code)).script);
    await using exact = openBundler({ maxBundleBytes: bytes });
    await using small = openBundler({ maxBundleBytes: bytes - 1 });
    expect(await runScript(await bundleCode(exact, code))).toBe('size');
    expect((await errorOf(bundleCode(small, code))).code).toBe('ERR_BUNDLE_TOO_LARGE');
  });
});

test('functions and blocks may be nested two hundred deep, and no deeper', async () => {
  expect(await runScript(await bundleCode(bundler, `return typeof (${'() => '.repeat(200)}1)`))).toBe('function');
  const error = await errorOf(bundleCode(bundler, `return typeof (${'() => '.repeat(201)}1)`));
  expect(error.code).toBe('ERR_BUNDLE_SYNTAX');
  expect(error.details.location?.line).toBe(1);
  expect((await errorOf(bundleCode(bundler, `${'{ let a; '.repeat(1500)}${'}'.repeat(1500)}`))).code).toBe('ERR_BUNDLE_SYNTAX');
  expect((await errorOf(bundleCode(bundler, `${'for (let i of []) '.repeat(1500)};`))).code).toBe('ERR_BUNDLE_SYNTAX');
});

test('a return inside of blocks is still at the top level', async () => {
  expect(
    await runScript(await bundleCode(bundler, 'for (const a of [1]) { switch (a) { default: try { return { a }; } catch {} } }')),
  ).toEqual({ a: 1 });
  expect((await errorOf(bundleCode(bundler, 'export default 1; { { return 2 } }'))).code).toBe('ERR_BUNDLE_FORM');
});

const SIZE = 256 * KIB;
const fill = (piece: string): string => piece.repeat(Math.floor(SIZE / piece.length));
test.each([
  ['parentheses', fill('(')],
  ['brackets', fill('[')],
  ['braces', fill('{')],
  ['negations', fill('!')],
  ['templates', fill('`${')],
  ['arrows', `${fill('a=>').slice(0, -3)}1`],
  ['sums', `return ${fill('1+').slice(8)}1`],
  ['else-ifs', `let a;if(a);${fill('else if(a);').slice(11 * 2)}`],
  ['conditionals', fill('a?(')],
  ['casts', fill('<T>')],
  ['comparisons', fill('a<b<')],
  ['types', `let x: ${fill('{a:').slice(9)}`],
  ['conditional types', `type X = ${fill('A extends B ? C : ').slice(20)}1`],
  ['decorators', fill('@(a)')],
  ['arrow parameters', fill('(a=')],
  ['async calls', fill('async(')],
  ['labels', fill('a:')],
  ['blank lines in a fence', `\`\`\`\n${fill(' ').slice(8)}`],
  ['statements', fill('1;')],
  ['surrogates', fill('\uD800').slice(0, SIZE / 3)],
])('256 KiB of %s end in a bundle or a coded error, soon', async (_, code) => {
  const began = performance.now();
  const outcome = await bundleCode(bundler, code).catch((error: unknown) => error as Bundle | SandboxError);
  expect(performance.now() - began).toBeLessThan(12_000);
  const failure = outcome instanceof SandboxError ? outcome.code : 'script' in outcome && 'none';
  expect(['none', 'ERR_BUNDLE_SYNTAX', 'ERR_BUNDLE_FAILED']).toContain(failure);
  expect(JSON.stringify(outcome instanceof SandboxError ? outcome.details : '').length).toBeLessThan(20_000);
  await worksStill();
});
