import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import { nearestNames } from '../nearest-name.ts';
import type { Config } from '../config/schema.ts';
import type { SkillSet } from '../skill/skill-set.ts';

export type EngineKind = Config['engine'];

/** The modules that exist for one program. */
export interface ModuleWorld {
  /** Hash of `files`. */
  readonly wrappersHash: string;
  /** Path to text, as in a wrapper set. */
  readonly files: ReadonlyMap<string, string>;
  readonly libraries: readonly string[];
  /** The engine that the program is for. */
  readonly engine: EngineKind;
  /** The skills that the code imports; none when it names none, or there are none here. */
  readonly skills?: SkillSet | undefined;
}

export type Resolution =
  | { readonly kind: 'ampoule' }
  | { readonly kind: 'wrapper'; readonly path: string }
  | { readonly kind: 'library' }
  | { readonly kind: 'skill'; readonly name: string }
  | { readonly kind: 'refused'; readonly message: string; readonly hint: string };

type WrapperResolution = Exclude<Resolution, { kind: 'library' | 'skill' }>;

/** Decides what a specifier in an agent's code means. Nothing is looked up outside `world`. */
export function resolveAgentImport(specifier: string, world: ModuleWorld): Resolution {
  if (specifier === 'ampoule') return { kind: 'ampoule' };
  if (specifier === 'servers' || specifier.startsWith('servers/')) return resolveServer(specifier, world);
  if (specifier === 'skills' || specifier.startsWith('skills/')) return resolveSkill(specifier, world);
  const library = packageName(specifier);
  if (library !== undefined && world.libraries.includes(library)) return { kind: 'library' };
  return { kind: 'refused', message: `Cannot import "${printable(specifier)}".`, hint: explain(specifier, library, world) };
}

/** Decides what a specifier in the wrapper file `importer` means: `ampoule`, or another wrapper file. */
export function resolveWrapperImport(specifier: string, importer: string, world: ModuleWorld): WrapperResolution {
  if (specifier === 'ampoule') return { kind: 'ampoule' };
  const path = /^\.\.?\//u.test(specifier) ? findFile(posix.join(posix.dirname(importer), specifier), world) : undefined;
  if (path !== undefined) return { kind: 'wrapper', path };
  return { kind: 'refused', message: `A generated wrapper imports "${printable(specifier)}".`, hint: 'Generate the wrappers again.' };
}

/** Names as a sentence part: `"a", "b" or "c"`, at most `limit` of them. */
export function quotedList(names: readonly string[], limit = 20): string {
  const shown = names.slice(0, limit).map((name) => `"${name}"`);
  const more = names.length > limit ? ` and ${names.length - limit} more` : '';
  return shown.join(', ') + more;
}

/** The folders of a wrapper set: the names that `servers/<name>` can have. */
function serverFolders(world: ModuleWorld): string[] {
  const folders = new Set<string>();
  for (const path of world.files.keys()) {
    if (path.endsWith('/index.ts')) folders.add(path.slice(0, -'/index.ts'.length));
  }
  return [...folders].sort();
}

function resolveServer(specifier: string, world: ModuleWorld): Resolution {
  const rest = specifier.slice('servers/'.length).replace(/\/$/u, '');
  const folders = serverFolders(world);
  const path = rest.split('/').some((part) => part === '' || part.startsWith('.')) ? undefined : findFile(rest, world);
  if (path !== undefined) return { kind: 'wrapper', path };
  const [folder = '', ...parts] = rest.split('/');
  if (parts.length > 0 && folders.includes(folder)) {
    const files = filesOf(folder, world);
    return refusedServer(
      specifier,
      `The server "${folder}" has no such file.`,
      nearestNames(parts.join('/').replace(/\.ts$/u, ''), files),
      folder,
    );
  }
  const all = folders.length === 0 ? 'No server is connected.' : `Servers: ${quotedList(folders.map((name) => `servers/${name}`))}.`;
  return refusedServer(specifier, all, nearestNames(folder, folders), undefined);
}

/** The name in `skills/<name>` or `skills/<name>.ts`. */
export function skillIn(specifier: string): string {
  return specifier.replace(/^skills\//u, '').replace(/\.ts$/u, '');
}

function resolveSkill(specifier: string, { skills }: ModuleWorld): Resolution {
  const name = skillIn(specifier);
  if (skills?.modules.has(name) === true) return { kind: 'skill', name };
  const message = `There is no "${printable(specifier)}".`;
  const names = skills?.names() ?? [];
  if (names.includes(name)) return { kind: 'refused', message, hint: `Write the import plainly: import { ... } from "skills/${name}".` };
  if (names.length === 0) return { kind: 'refused', message, hint: 'There are no skills here. Put the code into the program itself.' };
  const near = nearestNames(name, names).map((each) => `"skills/${each}"`);
  const suggestion = near.length === 0 ? '' : ` Did you mean ${near.join(' or ')}?`;
  return { kind: 'refused', message: message + suggestion, hint: `Skills: ${quotedList(names.map((each) => `skills/${each}`))}.` };
}

function refusedServer(specifier: string, fact: string, near: readonly string[], folder: string | undefined): Resolution {
  const prefix = folder === undefined ? 'servers/' : `servers/${folder}/`;
  const suggestion = near.length === 0 ? '' : ` Did you mean ${near.map((name) => `"${prefix}${name}"`).join(' or ')}?`;
  return { kind: 'refused', message: `There is no "${printable(specifier)}".${suggestion}`, hint: fact };
}

function filesOf(folder: string, world: ModuleWorld): string[] {
  return [...world.files.keys()]
    .filter((path) => path.startsWith(`${folder}/`) && path.endsWith('.ts'))
    .map((path) => path.slice(folder.length + 1, -'.ts'.length));
}

function findFile(path: string, world: ModuleWorld): string | undefined {
  const candidates = [path, `${path}.ts`, path.replace(/\.js$/u, '.ts'), `${path}/index.ts`];
  return candidates.find((candidate) => candidate.endsWith('.ts') && world.files.has(candidate));
}

function packageName(specifier: string): string | undefined {
  const match = /^(?:@[a-z0-9~-][\w.~-]*\/)?[a-z0-9~-][\w.~-]*(?=\/|$)/iu.exec(specifier);
  if (match === null || specifier.split(/[/\\]/u).includes('..')) return undefined;
  return match[0];
}

const BUILTIN_ADVICE: readonly (readonly [RegExp, string])[] = [
  [/^fs\b/u, 'There is no file system. Read the operator\'s files with `readFile` from "ampoule".'],
  [/^(?:https?|http2|net|tls|dns|dgram|undici)\b/u, 'There is no network. Call a tool of a server: import it from "servers/<name>".'],
  [/^(?:child_process|worker_threads|cluster|process|os|vm)\b/u, 'There is no process or host to reach. Call a tool of a server instead.'],
  [/^timers\b/u, '`setTimeout` is a global; `sleep(ms)` comes from "ampoule".'],
  [/^(?:url|querystring|punycode)\b/u, '`URL` and `URLSearchParams` are globals.'],
  [/^crypto\b/u, '`crypto.randomUUID` and `crypto.getRandomValues` are globals.'],
  [/^(?:buffer|string_decoder)\b/u, '`Uint8Array`, `TextEncoder` and `TextDecoder` are globals.'],
];

function explain(specifier: string, library: string | undefined, world: ModuleWorld): string {
  const builtin = specifier.replace(/^node:/u, '');
  if (specifier.startsWith('node:') || isBuiltin(builtin)) {
    const advice = BUILTIN_ADVICE.find(([pattern]) => pattern.test(builtin))?.[1];
    return advice ?? 'The modules of Node do not exist here. Plain JavaScript, "ampoule" and the tools of "servers/<name>" do.';
  }
  if (specifier.startsWith('ampoule/')) return 'Everything comes from "ampoule" itself.';
  if (/^(?:\.{1,2}(?:[/\\]|$)|[/\\#~])/u.test(specifier)) {
    return 'The code is one file: paths cannot be imported. Import "ampoule", "servers/<name>" or an allowed library.';
  }
  if (/^[a-z][a-z0-9+.-]*:/iu.test(specifier)) return 'Nothing is imported from addresses. Call a tool of a server instead.';
  const folders = serverFolders(world);
  if (folders.includes(specifier)) return `Write "servers/${specifier}".`;
  return adviseLibrary(library, world);
}

function adviseLibrary(library: string | undefined, world: ModuleWorld): string {
  if (world.libraries.length === 0) return 'No npm packages are allowed here. Import "ampoule" or "servers/<name>".';
  const near = library === undefined ? [] : nearestNames(library, world.libraries);
  const suggestion = near.length === 0 ? '' : ` Did you mean "${near[0]}"?`;
  return `Allowed packages: ${quotedList([...world.libraries].sort())}.${suggestion}`;
}

/** A specifier as it may stand in a message: bounded, without control characters. */
export function printable(specifier: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what it takes out
  const plain = specifier.replaceAll(/[\u0000-\u001F\u007F-\u009F\u2028\u2029]/gu, '\uFFFD');
  return plain.length > 120 ? `${plain.slice(0, 120)}…` : plain;
}
