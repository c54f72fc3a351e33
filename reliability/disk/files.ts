import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openDiskCache } from '../../src/component/disk-cache.ts';
import { decodeProgram, encodeProgram } from '../../src/component/program-file.ts';
import { openKeptResults } from '../../src/kept-result/kept-results.ts';
import { GENERATED_MARK } from '../../src/wrappers/wrapper-file.ts';
import type { WrapperSet } from '../../src/wrappers/wrapper-set.ts';
import { writeWrappers } from '../../src/wrappers/write.ts';
import { Damage, type StoreKind, type StoreUnderTest } from './store-under-test.ts';

const YEAR_MS = 365 * 86_400_000;
const MiB = 1024 * 1024;
const PRINCIPAL = 'local';
const PROGRAM_BYTES = 150_000;
const RESULT_LINES = 4_000;
const WRAPPERS = 6;
const WRAPPER_LINES = 400;

/** Stores and caches that are files. */
export const FILES: readonly StoreKind[] = [
  { name: 'results', keeps: true, open: openResults },
  { name: 'programs', keeps: false, open: openPrograms },
  { name: 'wrappers', keeps: true, open: openWrappers },
];

async function openResults(folder: string): Promise<StoreUnderTest> {
  const store = await openKeptResults({ directory: join(folder, 'results'), maxBytes: 8 * MiB, ttlMs: YEAR_MS });
  return {
    async write(number) {
      const bytes = Buffer.from(`${number}\n`.repeat(RESULT_LINES));
      const { id } = await store.keep(PRINCIPAL, bytes, { mimeType: 'text/plain', unit: 'lines', total: RESULT_LINES, marks: [] });
      return id;
    },
    read(place) {
      if (place === '') return Promise.resolve(0);
      const { bytes } = store.read(PRINCIPAL, place, 'offset=0', { maxBytes: MiB, maxMediaBytes: MiB });
      const lines = new Set(Buffer.from(bytes).toString('utf8').trimEnd().split('\n'));
      if (lines.size !== 1 || bytes.length % RESULT_LINES !== 0) throw new Damage(`a result of ${bytes.length} bytes`);
      return Promise.resolve(Number([...lines][0]));
    },
    close: () => store.close(),
  };
}

async function openPrograms(folder: string, writer: string): Promise<StoreUnderTest> {
  const cache = await openDiskCache({ directory: join(folder, 'programs'), maxBytes: 16 * MiB });
  const keyOf = (number: number): string =>
    Buffer.from(`${writer}/${number % 20}`)
      .toString('hex')
      .padEnd(64, '0')
      .slice(0, 64);
  return {
    async write(number) {
      const bytes = new Uint8Array(PROGRAM_BYTES).fill(number % 251);
      await cache.put(keyOf(number), encodeProgram(keyOf(number), { pages: 4, blocks: [{ offset: 0, bytes }] }));
      return String(number);
    },
    async read(place) {
      const number = Number(place);
      const found = place === '' ? undefined : await cache.get(keyOf(number));
      if (cache.statistics.damaged > 0) throw new Damage('a program that fails its check');
      if (found === undefined) return 0;
      const { bytes } = decodeProgram(found, keyOf(number)).blocks[0] ?? { bytes: new Uint8Array() };
      // An older number may have the same key, never another content than one of its own.
      if (bytes.length !== PROGRAM_BYTES || !bytes.every((byte) => byte === bytes[0])) throw new Damage('a program that is mixed');
      return number;
    },
    close: () => undefined,
  };
}

/** Each writer has a folder of its own: the operator gives one to one server. */
function openWrappers(folder: string, writer: string): Promise<StoreUnderTest> {
  const directory = join(folder, `wrappers-${writer}`);
  const setOf = (number: number): WrapperSet => {
    const text = `${GENERATED_MARK}\n${`// ${number}\n`.repeat(WRAPPER_LINES)}`;
    const files = new Map(Array.from({ length: WRAPPERS }, (_, n) => [`server/tool${n}.ts`, text]));
    return { hash: String(number), tools: [], files: files.set('manifest.json', JSON.stringify({ number })) };
  };
  const check = async (name: string): Promise<void> => {
    const [, ...lines] = (await readFile(join(directory, name), 'utf8')).trimEnd().split('\n');
    if (new Set(lines).size !== 1 || lines.length !== WRAPPER_LINES) throw new Damage(`the wrapper ${name} is not whole`);
  };
  return Promise.resolve({
    async write(number) {
      await writeWrappers(setOf(number), directory);
      return '';
    },
    async read() {
      const manifest = await readFile(join(directory, 'manifest.json'), 'utf8').catch(() => '{"number":0}');
      const { number } = JSON.parse(manifest) as { number: number };
      if (number > 0) for (let n = 0; n < WRAPPERS; n++) await check(`server/tool${n}.ts`);
      return number;
    },
    close: () => undefined,
  });
}
