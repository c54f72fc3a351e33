import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { transform } from 'esbuild';

const run = promisify(execFile);
const TSC = path.resolve(import.meta.dirname, '../../node_modules/typescript/bin/tsc');

const AMPOULE = 'declare module "ampoule" { export function callTool(server: string, tool: string, args?: object): Promise<unknown>; }\n';

const OPTIONS = {
  strict: true,
  noEmit: true,
  module: 'nodenext',
  target: 'es2024',
  lib: ['es2024'],
  types: [],
  allowImportingTsExtensions: true,
  verbatimModuleSyntax: true,
  isolatedModules: true,
  erasableSyntaxOnly: true,
  exactOptionalPropertyTypes: true,
};

/** What the real TypeScript compiler says about these files; "" when it accepts all of them. `extra` are further files beside them. */
export async function typeErrors(files: ReadonlyMap<string, string>, extra: Readonly<Record<string, string>> = {}): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'ampoule-wrappers-'));
  try {
    const all = [...files, ...Object.entries(extra), ['ampoule.d.ts', AMPOULE], ['package.json', '{"type":"module"}']] as const;
    for (const [name, text] of all) {
      await mkdir(path.dirname(path.join(directory, name)), { recursive: true });
      await writeFile(path.join(directory, name), text);
    }
    await writeFile(path.join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions: OPTIONS, include: ['**/*.ts'] }));
    await run(process.execPath, [TSC, '-p', directory, '--pretty', 'false'], { timeout: 60_000, maxBuffer: 64 * 1024 * 1024 });
    return '';
  } catch (thrown) {
    const { stdout, message } = thrown as { stdout?: string; message: string };
    return stdout === undefined || stdout === '' ? message : stdout;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The files that esbuild does not take, with its reasons. */
export async function parseErrors(files: ReadonlyMap<string, string>): Promise<string[]> {
  const sources = [...files].filter(([name]) => name.endsWith('.ts'));
  const errors = await Promise.all(
    sources.map(async ([name, text]) => {
      try {
        const { warnings } = await transform(text, { loader: 'ts', format: 'esm', logLevel: 'silent' });
        return warnings.map((warning) => `${name}: ${warning.text}`);
      } catch (thrown) {
        return [`${name}: ${String(thrown)}`];
      }
    }),
  );
  return errors.flat();
}
