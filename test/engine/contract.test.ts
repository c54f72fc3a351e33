import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { checkContract } from '../../src/engine/contract.ts';
import { readComponentWit } from '../../src/engine/transpile.ts';
import { verifyEngine } from '../../src/engine/verify.ts';

const WORLD = `package root:component;

world root {
  import ampoule:sandbox/host;

  export load: func(script: string) -> string;
  export start: func(input: string, options: string);
  export resume: func(now: f64, calls: list<u32>, answers: list<string>);
  export status: func() -> list<string>;
}
`;

/** A core module with these imports, all of them functions without parameters. */
function moduleWith(...imports: [module: string, name: string][]): Uint8Array {
  const text = (value: string): number[] => [value.length, ...Buffer.from(value)];
  const body = imports.flatMap(([module, name]) => [...text(module), ...text(name), 0, 0]);
  const section = (id: number, bytes: number[]): number[] => [id, (bytes.length & 127) | 128, bytes.length >> 7, ...bytes];
  return Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...section(1, [1, 0x60, 0, 0]), ...section(2, [imports.length, ...body])]);
}

const HOST = 'ampoule:sandbox/host';
const FOUR: [string, string][] = ['call-tool', 'get-state', 'log', 'read-file'].map((name) => [HOST, name]);
const modules = (...imports: [string, string][]): Map<string, Uint8Array> => new Map([['a.wasm', moduleWith(...imports)]]);
const refusal = (wit: string, of: Map<string, Uint8Array>): string => {
  try {
    checkContract(wit, of, null);
    return 'accepted';
  } catch (error) {
    return `${(error as { code: string }).code} ${(error as Error).message}`;
  }
};

test('the four host functions and the guest contract are accepted', () => {
  expect(checkContract(WORLD, modules(...FOUR), null)).toEqual({
    imports: FOUR.map(([from, name]) => `${from}.${name}`),
    exports: ['load', 'resume', 'start', 'status'],
  });
});

test('the imports may be spread over several modules, beside what the modules give each other', () => {
  const spread = new Map([
    ['a.wasm', moduleWith(...FOUR.slice(0, 2), ['', '0'])],
    ['b.wasm', moduleWith(...FOUR.slice(2), ['', '1'])],
  ]);
  expect(refusal(WORLD, spread)).toBe('accepted');
});

test.each([
  ['a WASI interface', 'wasi:cli/environment@0.2.3'],
  ['a WASI interface without version', 'wasi:random/random'],
  ['an interface of another package', 'ampoule:sandbox/other'],
  ['a plain function', 'now: func() -> u64'],
])('a world that imports %s is refused, and the message names it', (_what, item) => {
  const wit = WORLD.replace('  import', `  import ${item};\n  import`);
  expect(refusal(wit, modules(...FOUR))).toMatch(/^ERR_ENGINE_CONTRACT .*too many: (wasi|ampoule|now)/);
});

test.each(['load', 'start', 'resume', 'status'])('a world without the export %s is refused', (name) => {
  const wit = WORLD.replace(new RegExp(`  export ${name}.*\n`), '');
  expect(refusal(wit, modules(...FOUR))).toBe(`ERR_ENGINE_CONTRACT The engine's exports are not the contract's; missing: ${name}.`);
});

test('a world with one export more is refused', () => {
  const wit = WORLD.replace('  export load', '  export wasi:http/incoming-handler@0.2.0;\n  export load');
  expect(refusal(wit, modules(...FOUR))).toContain('too many: wasi:http/incoming-handler@0.2.0');
});

test('a world without the host interface is refused', () => {
  expect(refusal(WORLD.replace(/ {2}import.*\n/, ''), modules(...FOUR))).toContain('missing: ampoule:sandbox/host');
});

test.each([
  ['a WASI preview 1 function', ['wasi_snapshot_preview1', 'fd_write']],
  ['a WASI preview 2 function', ['wasi:clocks/monotonic-clock@0.2.3', 'now']],
  ['a fifth host function', [HOST, 'set-state']],
] as [string, [string, string]][])('a module that imports %s is refused', (_what, extra) => {
  expect(refusal(WORLD, modules(...FOUR, extra))).toContain(`too many: ${extra.join('.')}`);
});

test('a module that lacks a host function is refused', () => {
  expect(refusal(WORLD, modules(...FOUR.slice(1)))).toContain('missing: ampoule:sandbox/host.call-tool');
});

test("the suite's engine has this contract, in its component and in the modules that run", async () => {
  const engine = inject('engine');
  const expected = { imports: FOUR.map(([from, name]) => `${from}.${name}`), exports: ['load', 'resume', 'start', 'status'] };
  expect(await verifyEngine(engine)).toEqual(expected);
  expect(engine.contract).toEqual(expected);
  expect(await readComponentWit(await readFile(engine.component))).not.toContain('wasi');
});

test('the memory of every module that runs has a maximum of 256 MiB', async () => {
  const { directory, modules: names } = inject('engine');
  let memories = 0;
  for (const name of names) {
    const module = new WebAssembly.Module(await readFile(join(directory, name)));
    for (const { kind } of WebAssembly.Module.exports(module)) if (kind === 'memory') memories++;
  }
  expect(memories).toBe(1);
});
