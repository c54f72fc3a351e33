import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { componentize } from '@bytecodealliance/componentize-js';
import { parse, print, transpile } from '@bytecodealliance/jco';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Delta } from '../../src/component/delta.ts';
import { appendDelta } from '../../src/component/export-component.ts';
import { createImage, restoreImage } from '../../src/component/image.ts';
import { takeDelta } from '../../src/component/take-delta.ts';

const PAGE = 65_536;

const WIT = `
package scratch:engine;
world engine {
  import ask: func(question: string) -> u32;
  export load: func(source: string);
  export start: func(input: string) -> string;
}`;

const GUEST = `
import ask from 'ask';
let program;
export function load(source) { program = new Function('ask', source)(ask); }
export function start(input) { return JSON.stringify(program(JSON.parse(input))); }
`;

interface Guest {
  load(source: string): void;
  start(input: string): string;
}

/** A transpiled component, ready to be instantiated any number of times. */
interface Transpiled {
  instantiate(): { guest: Guest; memory: WebAssembly.Memory };
}

let directory: string;
let component: Uint8Array;
let engine: Transpiled;
let base: Uint8Array;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ampoule-export-'));
  const sourcePath = join(directory, 'guest.js');
  await writeFile(sourcePath, GUEST);
  // An option that componentize-js has but whose type it leaves out.
  const world = { witWorld: WIT };
  ({ component } = await componentize({
    sourcePath,
    ...world,
    disableFeatures: ['random', 'stdio', 'clocks', 'http', 'fetch-event'],
  }));
  engine = await transpileInto('engine', component);
  base = bytesOf(engine.instantiate().memory).slice();
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

function bytesOf(memory: WebAssembly.Memory): Uint8Array {
  return new Uint8Array(memory.buffer);
}

async function transpileInto(name: string, bytes: Uint8Array): Promise<Transpiled> {
  const { files } = await transpile(bytes, { name, instantiation: 'sync', noTypescript: true, minify: false, optimize: false });
  const path = join(directory, `${name}.mjs`);
  const modules = new Map<string, WebAssembly.Module>();
  for (const [file, content] of Object.entries(files)) {
    if (file.endsWith('.wasm')) modules.set(file, new WebAssembly.Module(Uint8Array.from(content)));
    else await writeFile(path, content);
  }
  const { instantiate } = await import(pathToFileURL(path).href);
  return {
    instantiate() {
      let memory: WebAssembly.Memory | undefined;
      const guest: Guest = instantiate(
        (file: string) => modules.get(file),
        { ask: { default: (question: string) => question.length } },
        (module: WebAssembly.Module, imports: WebAssembly.Imports) => {
          const instance = new WebAssembly.Instance(module, imports);
          if (instance.exports['memory'] instanceof WebAssembly.Memory) memory = instance.exports['memory'];
          return instance;
        },
      );
      if (memory === undefined) throw new Error('no memory');
      return { guest, memory };
    },
  };
}

function load(source: string): Delta {
  const { guest, memory } = engine.instantiate();
  guest.load(source);
  return takeDelta(bytesOf(memory), base, memory.buffer.byteLength / PAGE);
}

/** The answer of a program that starts from its image in an instance of the engine. */
function startFromImage(delta: Delta, input: string): string {
  const { guest, memory } = engine.instantiate();
  if (delta.pages > base.length / PAGE) memory.grow(delta.pages - base.length / PAGE);
  restoreImage(bytesOf(memory), createImage(base, delta));
  return guest.start(input);
}

const SMALL = 'let runs = 0; return (input) => ({ run: ++runs, twice: input.x * 2, asked: ask("how long") })';
const LARGE = 'const rows = Array.from({ length: 300000 }, (_, i) => ({ i })); return (input) => rows[input.x].i + rows.length';

test.each([
  ['a small program', SMALL, '{"run":1,"twice":42,"asked":8}'],
  ['a program that grew memory while it was loaded', LARGE, '300021'],
])('%s runs on its own as it does from its image', async (_, source, expected) => {
  const delta = load(source);
  const exported = await transpileInto(`program${source.length}`, appendDelta(component, delta));
  const { guest, memory } = exported.instantiate();
  expect(memory.buffer.byteLength).toBe(delta.pages * PAGE);
  const image = new Uint8Array(memory.buffer.byteLength);
  restoreImage(image, createImage(base, delta));
  expect(Buffer.compare(bytesOf(memory), image)).toBe(0);
  expect(guest.start('{"x":21}')).toBe(expected);
  expect(startFromImage(delta, '{"x":21}')).toBe(expected);
  expect(delta.pages > base.length / PAGE).toBe(source === LARGE);
});

test('an empty delta gives the engine component itself, byte for byte', () => {
  expect(Buffer.compare(appendDelta(component, { pages: base.length / PAGE, blocks: [] }), component)).toBe(0);
});

test('the same delta gives the same bytes', () => {
  const delta = load(SMALL);
  expect(Buffer.compare(appendDelta(component, delta), appendDelta(component, delta))).toBe(0);
});

const MEMORY_MODULE = '(core module $main (memory (export "m") 1 2) (data (i32.const 8) "engine") (@custom "note" "kept"))';
const STAR: Delta = { pages: 1, blocks: [{ offset: 100, bytes: Buffer.from('*'.repeat(300)) }] };

test('a module in a component in a component is found, and every length around it is written anew', async () => {
  const nested = await parse(`(component (component (component ${MEMORY_MODULE}) (component)) (core module $other))`);
  const text = await print(appendDelta(nested, STAR));
  expect(text).toContain('*'.repeat(300));
  expect(text).toContain('"engine"');
  expect(text).toContain('(@custom "note"');
  expect(text).toContain('$other');
});

test.each([
  ['as large as before', 1, '1 2'],
  ['larger, within its maximum', 2, '2 2'],
  ['larger than its maximum, which is raised too', 200, '200 200'],
])('the memory is %s', async (_, pages, limits) => {
  const text = await print(appendDelta(await parse(`(component ${MEMORY_MODULE})`), { pages, blocks: [] }));
  expect(text).toContain(`(memory (;0;) ${limits})`);
});

test('the count of data segments is raised where the module says it', async () => {
  const module = '(core module (memory 1) (data $d "x") (data (i32.const 0) "y") (func data.drop $d))';
  const appended = appendDelta(await parse(`(component ${module})`), STAR);
  await expect(print(appended)).resolves.toContain('data.drop');
  const start = Buffer.from(appended).indexOf(Buffer.from([0, 0x61, 0x73, 0x6d, 1]));
  expect(WebAssembly.validate(Uint8Array.from(appended.subarray(start)))).toBe(true);
});

test.each([
  ['no memory', '(core module)'],
  ['two memories', `${MEMORY_MODULE} (core module (memory 1) (data (i32.const 0) "x"))`],
  ['a memory without data', '(core module (memory 1))'],
  ['a memory of 64 bits', '(core module (memory i64 1) (data (i64.const 0) "x"))'],
])('a component with %s is refused', async (_, modules) => {
  const bytes = await parse(`(component ${modules})`);
  expect(() => appendDelta(bytes, STAR)).toThrow(expect.objectContaining({ code: 'ERR_COMPONENT_EXPORT' }));
});

test('what is no component is refused, and so is one that is cut off anywhere', async () => {
  const bytes = await parse(`(component (component ${MEMORY_MODULE}))`);
  const refused = expect.objectContaining({ code: 'ERR_COMPONENT_EXPORT' });
  expect(() => appendDelta(new Uint8Array(0), STAR)).toThrow(refused);
  expect(() => appendDelta(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0), STAR)).toThrow(refused);
  for (let length = 0; length < 60; length++) expect(() => appendDelta(bytes.subarray(0, length), STAR)).toThrow(refused);
});
