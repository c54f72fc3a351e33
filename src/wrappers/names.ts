import { textHash } from './schema-hash.ts';

/** Words that cannot name a function in a module, that the file itself uses, or that would change what an import means. */
const RESERVED = new Set(
  [
    'abstract arguments as async await break case catch class const continue debugger declare default delete do else enum eval export',
    'extends false finally for function if implements import in instanceof interface let module namespace new null package private',
    'protected public return static super switch this throw true try typeof undefined var void while with yield',
    // Globals of every program.
    'atob btoa clearInterval clearTimeout console crypto decodeURI decodeURIComponent encodeURI encodeURIComponent escape globalThis',
    'isFinite isNaN parseFloat parseInt performance queueMicrotask setInterval setTimeout structuredClone unescape',
    'exports process require',
    // Used by the generated file, the name of the index file, and what makes `await import()` treat a module as a promise.
    'ampoule callTool index input then',
  ]
    .join(' ')
    .split(' '),
);

/** Names that Windows keeps for devices, and what stands at the top of the generated folder. */
const RESERVED_FOLDERS = /^(con|prn|aux|nul|com\d|lpt\d|index|manifest\.json|readme\.md|node_modules)(\.|$)/i;

/** `read_text_file`, `read-text-file` and `readTextFile` are all `readTextFile`. Always a legal identifier; not yet unique. */
export function camelCase(toolName: string): string {
  const plain = toolName.normalize('NFKD').replace(/\p{M}/gu, '');
  const words = (plain.match(/[A-Za-z0-9]+/g) ?? []).map(calmWord);
  const [first = '', ...rest] = words;
  const name = [lowerStart(first), ...rest.map((word) => word.charAt(0).toUpperCase() + word.slice(1))].join('').slice(0, 80);
  if (name === '') return `tool_${textHash(toolName).slice(0, 8)}`;
  if (/^\d/.test(name)) return `tool${name}`;
  return RESERVED.has(name) ? `${name}_` : name;
}

/** `GET` is a word like `get`; `GitHub` and `v2` keep their case. */
function calmWord(word: string): string {
  return /^[A-Z0-9]+$/.test(word) && word.length > 1 ? word.toLowerCase() : word;
}

/** `GitHub` to `gitHub`, `XMLParser` to `xmlParser`. */
function lowerStart(word: string): string {
  return word.replace(/^[A-Z]+(?=[A-Z][a-z])|^[A-Z]/, (start) => start.toLowerCase());
}

/** The name of a function's input or output type starts with this. */
export function pascalCase(functionName: string): string {
  const name = functionName.replace(/_$/, '');
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** A server's name as a folder and as the end of an import specifier; its own name where that is safe. Not yet unique. */
export function folderName(serverName: string): string {
  const safe = serverName
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z0-9_.-]+/g, '-')
    .replace(/^[-.]+|[-.]+$/g, '')
    .slice(0, 64);
  if (safe === '') return `server-${textHash(serverName).slice(0, 8)}`;
  return RESERVED_FOLDERS.test(safe) ? `${safe}-` : safe;
}

/**
 * One name per wire name, unique without regard to case, by a rule that does not know the order of listing: of those that want the
 * same name, the one that is spelled like it gets it, else the first by code units; the others get `separator` and a short
 * Blake3 of their wire name.
 */
export function uniqueNames(
  wireNames: readonly string[],
  wish: (wireName: string) => string,
  separator: string,
): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const taken = new Set<string>();
  const late: string[] = [];
  for (const wireName of [...new Set(wireNames)].sort((a, b) => Number(wish(b) === b) - Number(wish(a) === a) || (a < b ? -1 : 1))) {
    const name = wish(wireName);
    if (taken.has(name.toLowerCase())) {
      late.push(wireName);
    } else {
      taken.add(name.toLowerCase());
      names.set(wireName, name);
    }
  }
  for (const wireName of late) {
    const hash = textHash(wireName);
    let length = 6;
    const name = (): string => `${wish(wireName).replace(/_$/, '')}${separator}${hash.slice(0, length)}`;
    while (taken.has(name().toLowerCase())) length += 1;
    taken.add(name().toLowerCase());
    names.set(wireName, name());
  }
  return names;
}
