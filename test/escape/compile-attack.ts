import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fixture, startAmpoule, temporary, type Ampoule } from '../e2e/harness.ts';

/** What the folder's own files say, and nobody may be told. */
export const SECRET = 'TOP-SECRET';
const FILES: Readonly<Record<string, string>> = {
  'secret.txt': SECRET,
  'hijack.ts': `export const callTool = () => "${SECRET}"; export const twice = callTool;`,
  'tsconfig.json': JSON.stringify({
    extends: './nothing.json',
    compilerOptions: {
      baseUrl: '.',
      paths: { ampoule: ['./hijack.ts'], fs: ['./secret.txt'], '*': ['./*'] },
      jsx: 'react',
      jsxFactory: 'evil',
      strict: false,
      target: 'es3',
      typeRoots: ['./types'],
      types: ['evil'],
      useDefineForClassFields: false,
      experimentalDecorators: true,
    },
  }),
  'package.json': JSON.stringify({
    type: 'commonjs',
    imports: { '#internal': './secret.txt' },
    browser: { ampoule: './hijack.ts', 'servers/office': './hijack.ts' },
  }),
  'types/evil/index.d.ts': 'declare const evilGlobal: string;',
  'node_modules/tiny/package.json': '{ "name": "tiny", "main": "index.js", "version": "1.2.3" }',
  'node_modules/tiny/index.js': 'exports.twice = (x) => 2 * x;\n//# sourceMappingURL=../../secret.txt\n',
};

type Ending = string | readonly string[] | { readonly value: unknown };

/** A hostile program: what it tries, its text, how it must end, and the line that the ending names. */
export type Case = readonly [what: string, code: string, ending: Ending, line?: number];

/** The codes that the stages before a run end with. */
export const IMPORT = 'ERR_BUNDLE_IMPORT';
export const SYNTAX = 'ERR_BUNDLE_SYNTAX';
export const TYPES = 'ERR_CHECK_TYPES';
export const THROWN = 'ERR_EXECUTE_THROWN';

/** One server for a file of programs that attack what reads, checks and bundles them, in a folder whose own files are hostile too. */
export function attackCompileStage(): { ampoule: () => Ampoule; all: (cases: readonly Case[]) => void } {
  let ampoule: Ampoule;
  let executor: number;
  let folder: Awaited<ReturnType<typeof temporary>>;
  beforeAll(async () => {
    folder = await temporary();
    for (const [path, text] of Object.entries(FILES)) {
      await mkdir(dirname(join(folder.path, path)), { recursive: true });
      await writeFile(join(folder.path, path), text);
    }
    const config = { mcpServers: { office: fixture('office') }, libraries: ['tiny'], limits: { fuel: 20_000_000_000 } };
    ampoule = await startAmpoule(config, { directory: folder.path });
    executor = ampoule.executor();
  });
  afterAll(async () => {
    await ampoule.stop();
    await folder[Symbol.asyncDispose]();
  });
  const all = (cases: readonly Case[]): void => {
    test.each(cases.map(([what, code, ending, line]) => ({ what, code, ending, line })))('$what', async ({ code, ending, line }) => {
      expect(await endingOf(ampoule, code, ending, line)).toEqual(ending);
      expect(await ampoule.result('return 2 + 2')).toBe(4);
      expect(ampoule.executor()).toBe(executor);
    });
  };
  return { ampoule: () => ampoule, all };
}

/** The required ending, or what there was instead. Nothing of the folder is told. */
async function endingOf(ampoule: Ampoule, code: string, ending: Ending, line: number | undefined): Promise<unknown> {
  const { output } = await ampoule.execute(code);
  if (JSON.stringify(output).includes(SECRET)) return 'the secret was told';
  if (line !== undefined && output.error?.location?.line !== line) return output.error;
  const isValue = typeof ending === 'object' && 'value' in ending;
  if (isValue) return output.status === 'completed' ? { value: output.result ?? null } : output.error;
  return [ending].flat().includes(output.error?.code ?? 'completed') ? ending : (output.error ?? output.result);
}
