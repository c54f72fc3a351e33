import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, inject, test } from 'vitest';
import { GuestCatchable, type HostFunctions } from '../../../src/engine/abi/core-host.ts';
import { linkEngine, type CompiledEngine, type LinkedEngine } from '../../../src/engine/abi/link-engine.ts';
import { connectHost } from '../../../src/engine/meter/host-table.ts';
import { WARM_UP_OPTIONS } from '../../../src/engine/warm-up-program.ts';

let engine: CompiledEngine;
beforeAll(async () => {
  const { plan, modules, directory } = inject('engine');
  const compiled = modules.map(async (name) => [name, await WebAssembly.compile(await readFile(join(directory, name)))] as const);
  engine = { plan, modules: new Map(await Promise.all(compiled)) };
});

const NOTHING: HostFunctions = { callTool: () => 0, readFile: () => new Uint8Array(), getState: () => '{}', log: () => undefined };

/** An instance with fuel for ever. */
function link(host: Partial<HostFunctions>, from = engine): LinkedEngine {
  const linked = linkEngine(from, () => ({ ...NOTHING, ...host }));
  const refuel = (): void => void (linked.fuel.value = 1n << 60n);
  const size = (): number => linked.memory.buffer.byteLength / 65_536;
  for (const table of linked.hostTables) connectHost(table, { refuel, size, grow: (pages) => linked.memory.grow(pages) });
  return linked;
}

/** The texts of the status of a program that has been started. */
function run(body: string, host: Partial<HostFunctions>): string[] {
  const { guest } = link(host);
  expect(guest.load(`return (async () => {${body}\n})();\n`)).toBe('');
  guest.start('{"name":"Zoë 🍀"}', WARM_UP_OPTIONS);
  return guest.status();
}

test('the four host functions get what the program says and give what the host says', () => {
  const seen: unknown[] = [];
  const texts = run(
    `ampoule.log('warn', 'a line – with a dash'); ampoule.callTool('server ü', 'tool', { deep: ['🍀'] });
     return [input.name, ampoule.getState().kept, await ampoule.readFile('notes/a.txt')];`,
    {
      log: (...line) => void seen.push(line),
      callTool: (...call) => seen.push(call),
      getState: () => '{"kept":"état"}',
      readFile: (path) => Buffer.from(`content of ${path} ✓`),
    },
  );
  expect(seen).toEqual([
    ['warn', 'a line – with a dash', 0],
    ['server ü', 'tool', '{"deep":["🍀"]}'],
  ]);
  expect(JSON.parse(texts[1] ?? '')).toEqual(['Zoë 🍀', 'état', 'content of notes/a.txt ✓']);
});

test('an error that the host gives to the guest can be caught there; any other ends the call', () => {
  const program = "try { await ampoule.readFile('a/b'); } catch (error) { return error.message; }";
  const catchable = (): never => {
    throw new GuestCatchable('{"code":"ERR_FILE_NOT_FOUND","message":"there is no a/b"}');
  };
  expect(run(program, { readFile: catchable })[1]).toContain('there is no a/b');
  const broken = (): never => {
    throw new TypeError('not for the guest');
  };
  expect(() => run(program, { readFile: broken })).toThrow('not for the guest');
});

test('an instance has the imports of its plan, four of them the host functions, and no other one is the host', () => {
  const open = engine.plan.instances.flatMap(({ imports }) => imports.filter(({ from }) => from === undefined));
  const hosts = open.filter(({ module }) => module === 'ampoule:sandbox/host').map(({ name }) => name);
  expect(hosts.toSorted()).toEqual(['call-tool', 'get-state', 'log', 'read-file']);
});

test('the contract of a plan that names no such export is refused', () => {
  const [first] = engine.plan.instances;
  const imports = [...(first?.imports ?? []), { module: 'x', name: 'y', from: { instance: 0, export: 'nothing' } }];
  const instances = [...engine.plan.instances, { module: first?.module ?? '', imports }];
  expect(() => link({}, { ...engine, plan: { ...engine.plan, instances } })).toThrow('the engine has no export nothing');
});

test('a core module that is not there is named', () => {
  expect(() => link({}, { ...engine, modules: new Map() })).toThrow(/the engine has no core module engine\.core\d*\.wasm/);
});

test('texts over their bounds are refused or cut by their length, before they are strings', () => {
  const seen: unknown[] = [];
  const host: Partial<HostFunctions> = {
    bounds: { argumentBytes: 20, messageBytes: 5 },
    log: (...line) => void seen.push(line),
    callTool: (...call) => seen.push(call),
  };
  run('ampoule.log("info", "twelve bytes"); ampoule.callTool("s", "t", { x: "fits" })', host);
  expect(seen).toEqual([
    ['info', 'twelv', 7],
    ['s', 't', '{"x":"fits"}'],
  ]);
  expect(() => run('ampoule.callTool("s", "t", { x: "does not fit at all" })', host)).toThrow('has 27 bytes; at most 20');
});
