import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Bundle } from '../../src/bundle/bundle.ts';
import { type Bundler, type BundlerOptions, createBundler } from '../../src/bundle/bundler.ts';
import { SandboxError, type SourceLocation } from '../../src/errors.ts';
import type { WrapperSet } from '../../src/wrappers/wrapper-set.ts';

const LIST_ISSUES = `import { callTool } from "ampoule";

export interface ListIssuesInput {
  repo: string;
}

/** Lists issues. */
export async function listIssues(input: ListIssuesInput): Promise<unknown> {
  return await callTool("github", "list_issues", input);
}
`;

/** A wrapper set with one server, `github`, and one function, `listIssues`. */
export const WRAPPERS: WrapperSet = {
  hash: 'a1',
  files: new Map([
    ['manifest.json', '{}'],
    ['github/index.ts', 'export { listIssues, type ListIssuesInput } from "./listIssues.ts";\n'],
    ['github/listIssues.ts', LIST_ISSUES],
  ]),
  tools: [],
};

export interface Installation extends AsyncDisposable {
  readonly root: string;
}

/** A folder with the given files, removed at the end. */
export async function createInstallation(files: Record<string, string>): Promise<Installation> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'ampoule-bundle-')));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return { root, [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) };
}

export function openBundler(options: Partial<BundlerOptions> = {}): Bundler {
  return createBundler({
    libraries: [],
    resolveFrom: tmpdir(),
    maxSourceBytes: 256 * 1024,
    maxBundleBytes: 8 * 1024 * 1024,
    ...options,
  });
}

export function bundleCode(bundler: Bundler, code: string, wrappers: WrapperSet = WRAPPERS): Promise<Bundle> {
  return bundler.bundle({ code, wrappers }, new AbortController().signal);
}

/** Runs a script as the engine does; its tools answer with their own arguments. */
export async function runScript(bundle: Bundle, input?: unknown): Promise<unknown> {
  const ampoule = { callTool: (...call: unknown[]) => Promise.resolve(call), log: () => undefined };
  // oxlint-disable-next-line typescript/no-implied-eval -- this is the form in which the engine loads a script
  const program = new Function('ampoule', 'input', bundle.script) as (...parameters: unknown[]) => Promise<unknown>;
  return await program(ampoule, input);
}

export async function errorOf(work: Promise<unknown>): Promise<SandboxError> {
  const outcome = await work.then(
    (value) => value,
    (thrown: unknown) => thrown,
  );
  if (outcome instanceof SandboxError) return outcome;
  throw new Error(`no SandboxError but ${String(outcome)}`, { cause: outcome });
}

/** Runs a script that throws; the agent's positions of all frames of the script, undefined where it has none. */
export async function locateThrown(bundle: Bundle, input?: unknown): Promise<(SourceLocation | undefined)[]> {
  const thrown = await runScript(bundle, input).then(
    () => new Error('nothing was thrown'),
    (error: unknown) => error,
  );
  const stack = thrown instanceof Error ? (thrown.stack ?? '') : '';
  const header = 2; // lines that `new Function` puts in front of the script
  return [...stack.matchAll(/program\.js:(\d+):(\d+)/gu)].map(([, line, column]) => bundle.locate(Number(line) - header, Number(column)));
}
