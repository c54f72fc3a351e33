import { cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, inject, test } from 'vitest';
import { bundleGuest } from '../../src/bundle/guest.ts';
import { languageSchema } from '../../src/config/feature-schemas.ts';
import { ensureEngine, engineHash, type EngineSources } from '../../src/engine/engine.ts';
import { readEngineFiles } from '../../src/engine/engine-files.ts';
import { openEngine } from '../../src/open-sandbox.ts';

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const LANGUAGE = { locales: ['en'], timeZones: [] };

async function sources(): Promise<EngineSources> {
  const kind = inject('engineKind');
  return { kind, guest: await bundleGuest(kind, LANGUAGE), wit: await readFile(join(ROOT, 'host-functions/world.wit'), 'utf8') };
}

async function emptyCache(): Promise<string> {
  const cacheDirectory = await mkdtemp(join(tmpdir(), 'engine-test-'));
  folders.push(cacheDirectory);
  return cacheDirectory;
}

/** A cache with a copy of the suite's engine, and that copy's folder. */
async function copiedCache(): Promise<{ cacheDirectory: string; directory: string }> {
  const cacheDirectory = await emptyCache();
  const { directory: original } = inject('engine');
  const directory = join(cacheDirectory, 'engine', basename(original));
  await mkdir(join(cacheDirectory, 'engine'));
  await cp(original, directory, { recursive: true });
  return { cacheDirectory, directory };
}

/** The suite's engine may be older than the sources when somebody edits them right now; tests of the cache use its own hash. */
const suiteHash = (): string => inject('engine').sources;

test('a good engine in the cache is used as it is', async () => {
  const { directory } = await copiedCache();
  const engine = await readEngineFiles(directory, suiteHash());
  expect(engine).toMatchObject({ sources: suiteHash(), directory, modules: inject('engine').modules });
});

test('a folder without manifest is no engine', async () => {
  const { directory } = await copiedCache();
  await rm(join(directory, 'manifest.json'));
  expect(await readEngineFiles(directory, suiteHash())).toBeUndefined();
});

test.each([
  [
    'a flipped byte in a module',
    'engine.core.wasm',
    (bytes: Buffer) => ((bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1), bytes),
  ],
  ['a module cut short', 'engine.core.wasm', (bytes: Buffer) => bytes.subarray(0, -1)],
  ['a component with a byte more', 'engine.component.wasm', (bytes: Buffer) => Buffer.concat([bytes, Buffer.from('\n')])],
  ['an empty component', 'engine.component.wasm', () => Buffer.alloc(0)],
  ['a manifest that is not JSON', 'manifest.json', (bytes: Buffer) => bytes.subarray(0, 40)],
  ['a manifest of another format', 'manifest.json', () => Buffer.from('{"format":1}')],
  [
    'a manifest without files',
    'manifest.json',
    (bytes: Buffer) => Buffer.from(JSON.stringify({ ...JSON.parse(bytes.toString()), files: {} })),
  ],
] as [string, string, (bytes: Buffer) => Buffer][])('%s is found when the engine is read', async (_what, file, change) => {
  const { directory } = await copiedCache();
  const path = join(directory, file);
  await writeFile(path, change(await readFile(path)));
  await expect(readEngineFiles(directory, suiteHash())).rejects.toMatchObject({ code: 'ERR_ENGINE_CACHE' });
});

test('an engine for other sources is not taken for this one', async () => {
  const { directory } = await copiedCache();
  await expect(readEngineFiles(directory, 'ab'.repeat(32))).rejects.toMatchObject({ code: 'ERR_ENGINE_CACHE' });
});

test('a missing file is found when the engine is read', async () => {
  const { directory } = await copiedCache();
  await rm(join(directory, 'engine.core.wasm'));
  await expect(readEngineFiles(directory, suiteHash())).rejects.toMatchObject({ code: 'ERR_ENGINE_CACHE' });
});

test('the hash changes with each source and with nothing else', async () => {
  const { kind, guest, wit } = await sources();
  const hashes = [
    engineHash({ kind, guest, wit }),
    engineHash({ kind: kind === 'quickjs' ? 'starlingmonkey' : 'quickjs', guest, wit }),
    engineHash({ kind, guest: `${guest} `, wit }),
    engineHash({ kind, guest, wit: `${wit} ` }),
    engineHash({ kind, guest: wit, wit: guest }),
    engineHash({ kind, guest: '', wit: guest + wit }),
  ];
  expect(new Set(hashes).size).toBe(hashes.length);
  expect(engineHash({ kind, guest, wit })).toBe(hashes[0]);
  expect(hashes[0]).toMatch(/^[0-9a-f]{64}$/);
});

test('two builds at once for one damaged cache give one good engine, without a trace of the machine', async () => {
  const { cacheDirectory, directory: original } = await copiedCache();
  const both = await sources();
  const directory = join(cacheDirectory, 'engine', engineHash(both).slice(0, 32));
  if (directory !== original) await cp(original, directory, { recursive: true });
  await writeFile(join(directory, 'engine.core.wasm'), 'damaged');
  const steps: string[] = [];
  const [first, second] = await Promise.all([
    ensureEngine(both, { cacheDirectory, onProgress: (step) => steps.push(step) }),
    ensureEngine(both, { cacheDirectory }),
  ]);
  expect(steps).toEqual(['componentize', 'transpile', 'meter', 'write']);
  expect(second).toEqual(first);
  const files = (await readdir(join(cacheDirectory, 'engine'))).filter((name) => name.startsWith('.build-'));
  expect(files).toEqual([]);
  const component = await readFile(first.component);
  const traces = [ROOT.slice(0, -1), cacheDirectory, 'ampoule-engine-', 'engine-test-', '.build-', process.execPath, 'node_modules'];
  expect(traces.filter((trace) => component.includes(trace))).toEqual([]);
  expect(first.sources).toBe(engineHash(both));
}, 120_000);

test('the SpiderMonkey engine is the same, byte for byte, wherever and whenever it is built', async () => {
  const config = { engine: 'starlingmonkey', language: languageSchema.parse({}) } as const;
  // The one of the other tests, of whenever and wherever they were run first, and a new one.
  const [first, second] = await Promise.all([inject('cacheDirectory'), await emptyCache()].map((cache) => openEngine(config, cache)));
  const manifest = (folder: string | undefined): Promise<string> => readFile(join(folder ?? '', 'manifest.json'), 'utf8');
  expect(await manifest(first?.directory)).toBe(await manifest(second?.directory));
}, 120_000);

test('a build that is interrupted leaves nothing half done', async () => {
  const cacheDirectory = await emptyCache();
  const controller = new AbortController();
  const built = ensureEngine(await sources(), { cacheDirectory, onProgress: () => controller.abort() }, controller.signal);
  await expect(built).rejects.toMatchObject({ code: 'ERR_ENGINE_BUILD' });
  expect(await readdir(join(cacheDirectory, 'engine'))).toEqual([]);
});

test('a build of sources that are no guest is an error that says so', async () => {
  const cacheDirectory = await emptyCache();
  const built = ensureEngine({ ...(await sources()), guest: 'export const x = (' }, { cacheDirectory });
  await expect(built).rejects.toMatchObject({ code: 'ERR_ENGINE_BUILD' });
  expect(await readdir(join(cacheDirectory, 'engine'))).toEqual([]);
});

test('a cache folder that cannot be made is a coded error that names the key to change', async () => {
  const cacheDirectory = join(await emptyCache(), 'file', 'below');
  await writeFile(join(cacheDirectory, '..'), 'not a folder');
  await expect(ensureEngine(await sources(), { cacheDirectory })).rejects.toMatchObject({
    code: 'ERR_ENGINE_CACHE',
    details: { hint: expect.stringContaining('cacheDir') },
  });
});
