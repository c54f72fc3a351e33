import { statSync } from 'node:fs';
import { readFile as readFileFromDisk } from 'node:fs/promises';
import { dirname, isAbsolute, resolve } from 'node:path';
import type { z } from 'zod';
import { SandboxError } from '../errors.ts';
import { findingsError, syntaxError } from './config-error.ts';
import { isUnder } from './finding.ts';
import type { Finding } from './finding.ts';
import { schemaFindings, serverKindFindings } from './findings.ts';
import type { View } from './findings.ts';
import { interpolate } from './interpolate.ts';
import type { Environment } from './interpolate.ts';
import { JsonSyntaxError, parseJson, valueAt } from './json-source.ts';
import type { JsonPath, JsonSource } from './json-source.ts';
import { languageFindings } from './language-findings.ts';
import { policyFindings } from './policy-findings.ts';
import { configSchema } from './schema.ts';
import type { Config } from './schema.ts';

export interface ParseConfigOptions {
  /** Absolute path of the config file; relative paths in it start at its folder. */
  readonly file: string;
  /** What `${env:NAME}` can name. */
  readonly environment: Environment;
}

export interface LoadConfigOptions extends ParseConfigOptions {
  /** Reads a file as UTF-8 text. Default: from disk. */
  readonly readFile?: (file: string) => Promise<string>;
}

/**
 * Reads, checks and completes the config file.
 * @throws SandboxError ERR_CONFIG_NOT_FOUND when it cannot be read, and all that {@link parseConfig} throws.
 */
export async function loadConfig(options: LoadConfigOptions): Promise<Config> {
  const { file, readFile = (path: string) => readFileFromDisk(path, 'utf8') } = options;
  let text: string;
  try {
    text = await readFile(file);
  } catch (cause) {
    throw notReadable(file, cause);
  }
  return parseConfig(text, options);
}

/**
 * The config in a text: variables replaced, everything checked, defaults filled in, paths made absolute. Looks on disk only
 * for whether the mounted folders exist.
 * @throws SandboxError ERR_CONFIG_SYNTAX, ERR_CONFIG_VARIABLE or ERR_CONFIG_INVALID; the last two tell all findings at once.
 */
export function parseConfig(text: string, { file, environment }: ParseConfigOptions): Config {
  if (!isAbsolute(file)) throw new TypeError(`file must be an absolute path, got ${JSON.stringify(file)}`);
  const baseDir = dirname(file);
  const bare = text.replace(/^\uFEFF/, '');
  const source = parseSource(bare, file);
  const replaced = interpolate(source.value, environment);
  const view: View = { value: replaced.value, written: source.value };
  const parsed = configSchema.safeParse(view.value);
  const findings = [
    ...badKeyFindings(source),
    ...replaced.findings,
    ...withoutNoise(view, parsed.success ? [] : parsed.error.issues, replaced.findings, baseDir),
  ];
  if (!parsed.success || findings.length > 0) throw findingsError(source, bare, file, findings);
  return complete(parsed.data, baseDir, file);
}

function badKeyFindings({ badKeys }: JsonSource): Finding[] {
  return badKeys.map(({ path, offset, reason }) => ({ kind: 'invalid', path, offset, atKey: true, message: `the key ${reason}` }));
}

/** What is wrong, less what follows from a variable that is not set or from a server that is neither one kind nor the other. */
function withoutNoise(view: View, issues: readonly z.core.$ZodIssue[], variables: readonly Finding[], baseDir: string): Finding[] {
  const kinds = serverKindFindings(view);
  const inside = (path: JsonPath) => kinds.roots.some((root) => path.length > root.length && isUnder(path, root));
  const checked = schemaFindings(issues, view).filter(({ path }) => !inside(path));
  const all = [
    ...kinds.findings,
    ...checked,
    ...mountFindings(view, baseDir),
    ...policyFindings(view.value),
    ...languageFindings(view.value),
  ];
  return all.filter(({ path, atKey }) => atKey === true || !variables.some((variable) => isUnder(path, variable.path)));
}

function parseSource(text: string, file: string): JsonSource {
  try {
    return parseJson(text);
  } catch (error) {
    throw error instanceof JsonSyntaxError ? syntaxError(text, file, error) : error;
  }
}

function mountFindings({ value, written }: View, baseDir: string): Finding[] {
  const mounts = valueAt(value, ['mounts']);
  if (typeof mounts !== 'object' || mounts === null) return [];
  return Object.entries(mounts).flatMap(([name, folder]: [string, unknown]) => {
    if (typeof folder !== 'string' || folder === '' || folder.includes('\0')) return [];
    const problem = folderProblem(resolve(baseDir, folder));
    if (problem === undefined) return [];
    const path = ['mounts', name];
    const message = `expected a folder that exists, got ${JSON.stringify(valueAt(written, path))}, which ${problem}`;
    const hint = folder.startsWith('~')
      ? 'Write ${env:HOME} for the home folder.'
      : `Relative paths start at the folder of the config file.`;
    return [{ kind: 'invalid', path, message, hint }];
  });
}

function folderProblem(folder: string): string | undefined {
  try {
    const found = statSync(folder, { throwIfNoEntry: false });
    if (found === undefined) return 'is not there';
    return found.isDirectory() ? undefined : 'is not a folder';
  } catch {
    return 'cannot be looked at';
  }
}

function complete(data: ReturnType<typeof configSchema.parse>, baseDir: string, file: string): Config {
  const { $schema: _, ...parsed } = data;
  const absolute = (path: string) => resolve(baseDir, path);
  return {
    ...parsed,
    mcpServers: sorted(parsed.mcpServers, (server) =>
      server.type === 'stdio' && server.cwd !== undefined ? { ...server, cwd: absolute(server.cwd) } : server,
    ),
    mounts: sorted(parsed.mounts, absolute),
    generatedDir: absolute(parsed.generatedDir),
    principals: sorted(parsed.principals, (entry) => entry),
    audit: { ...parsed.audit, ...(parsed.audit.file !== undefined && { file: absolute(parsed.audit.file) }) },
    ...(parsed.cacheDir === undefined ? {} : { cacheDir: absolute(parsed.cacheDir) }),
    baseDir,
    file,
  };
}

/** A copy without prototype, as names are the operator's free choice, in the order of the names. */
function sorted<From, To>(record: Readonly<Record<string, From>>, convert: (value: From) => To): Record<string, To> {
  const copy: Record<string, To> = Object.create(null);
  const entries = Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, value] of entries) copy[name] = convert(value);
  return copy;
}

function notReadable(file: string, cause: unknown): SandboxError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  const reason =
    code === 'ENOENT'
      ? 'does not exist'
      : code === 'EISDIR'
        ? 'is a folder'
        : `cannot be read${typeof code === 'string' ? ` (${code})` : ''}`;
  const hint = 'Name the file with --config, or write one: docs/configuration.md shows how.';
  return new SandboxError('ERR_CONFIG_NOT_FOUND', `${file}: the config file ${reason}`, { hint, cause });
}
