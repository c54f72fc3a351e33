import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, inject } from 'vitest';
import { createBundler, type Bundler } from '../../src/bundle/bundler.ts';
import { ERROR_CODES, SandboxError } from '../../src/errors.ts';
import type { SupervisedExecutor } from '../../src/execute/supervised-executor.ts';
import { programKey } from '../../src/component/program-key.ts';
import { LIMITS } from '../../src/limits.ts';
import { DEFAULT_RUN_LIMITS, sharedExecutor } from '../support/executor.ts';
import { property } from './property.ts';

const PROGRAMS = new URL('../language/programs/', import.meta.url);
const corpus = readdirSync(PROGRAMS).flatMap((file) =>
  readFileSync(new URL(file, PROGRAMS), 'utf8')
    .split(/^\/\/\/\/ .*$/mu)
    .slice(1),
);
const BUNDLE_CODES = ERROR_CODES.filter((code) => code.startsWith('ERR_BUNDLE_'));

let bundler: Bundler;
let executor: SupervisedExecutor;
beforeAll(async () => {
  bundler = createBundler({
    libraries: [],
    engine: inject('engineKind'),
    resolveFrom: fileURLToPath(new URL('../../', import.meta.url)),
    maxSourceBytes: LIMITS.maxSourceBytes.default,
    maxBundleBytes: LIMITS.maxBundleBytes.default,
  });
  executor = await sharedExecutor();
});
afterAll(async () => {
  await bundler.close();
});

const piece = fc.constantFrom(
  'return ',
  'export default ',
  'import x from "servers/a";',
  'import "ampoule";',
  'await ',
  'async ',
  'function ',
  'class ',
  '=> ',
  '{',
  '}',
  '(',
  ')',
  '[',
  ']',
  ';',
  ',',
  '.',
  '`',
  '${',
  '"',
  "'",
  '/',
  '/*',
  '*/',
  '//',
  '\n',
  '#x',
  '@',
  '<T>',
  ': any',
  ' as any',
  'enum E { A }',
  'namespace N {}',
  'declare ',
  'using x = null;',
  'yield ',
  '\u2028',
  '\u0000',
  '\ud800',
  '🍀',
  '\\u{',
  'import(',
  'import.meta',
  'eval',
  'new.target',
  'super',
  'this',
  'let ',
  'var x',
  'const {',
  '...',
  '??=',
  '?.',
  '0',
  '1e',
  '0x',
  '1n',
  'label:',
  'break label;',
  'with (x)',
  '<!--',
  '#!',
  'export {',
  'export * from "x"',
  'type A = ',
  'interface I {',
  'abstract ',
  'satisfies ',
  'arguments',
  '__proto__',
);
type Edit = readonly [kind: 'cut' | 'insert' | 'double' | 'swap', at: number, length: number, piece: string];
const edits = fc.array(
  fc.tuple(fc.constantFrom('cut' as const, 'insert' as const, 'double' as const, 'swap' as const), fc.nat(4_000), fc.nat(40), piece),
  { maxLength: 4 },
);

function edited(code: string, list: readonly Edit[]): string {
  return list.reduce((text, [kind, place, length, inserted]) => {
    const at = place % (text.length + 1);
    const [before, part, after] = [text.slice(0, at), text.slice(at, at + length), text.slice(at + length)];
    if (kind === 'cut') return before + after;
    if (kind === 'insert') return before + inserted + part + after;
    return kind === 'double' ? before + part + part + after : part + before + after;
  }, code);
}

const programs = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(fc.constantFrom(...corpus), edits).map(([code, list]) => edited(code, list)) },
  { weight: 1, arbitrary: fc.array(piece, { maxLength: 14 }).map((parts) => parts.join('')) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
);

property(
  'any text as a program is bundled or refused with a place in it, and what is bundled ends in a code or a value',
  30,
  programs,
  async (code) => {
    let script: string;
    try {
      ({ script } = await bundler.bundle({ code, wrappers: { hash: '', files: new Map(), tools: [] } }, new AbortController().signal));
    } catch (thrown) {
      if (!(thrown instanceof SandboxError)) throw thrown;
      expect(BUNDLE_CODES).toContain(thrown.code);
      const { location } = thrown.details;
      if (location) expect(location.line).toBeLessThanOrEqual(code.split(/\r\n|[\n\r]/u).length);
      return;
    }
    const { end } = await executor.run(
      {
        executionId: 'exe_test',
        program: { key: programKey({ script, engineHash: inject('engine').hash }), script },
        input: 'null',
        state: '{}',
        limits: { ...DEFAULT_RUN_LIMITS, fuel: 3_000_000_000, timeoutMs: 3_000, waitMs: 200 },
      },
      () => Promise.reject(new Error('no tools')),
      new AbortController().signal,
    );
    if (end.status === 'failed') {
      expect(ERROR_CODES).toContain(end.code);
      expect(['ERR_EXECUTE_ENGINE', 'ERR_INTERNAL', 'ERR_EXECUTE_CRASHED']).not.toContain(end.code);
    }
  },
);
