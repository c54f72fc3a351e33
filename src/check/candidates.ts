import { nearestNames } from '../nearest-name.ts';
import type { WrapperSet } from '../wrappers/wrapper-set.ts';

const MAX_LISTED = 12;
const MAX_DECLARATION = 200;

/** What there is in the place of a name that there is not: the nearest names, or some of all. */
export function suggest(name: string, names: readonly string[], kind: string): string {
  const near = name === '' ? [] : nearestNames(name, names);
  if (near.length > 0) return `Did you mean ${near.map((candidate) => `'${candidate}'`).join(' or ')}?`;
  if (names.length === 0) return '';
  const more = names.length > MAX_LISTED ? ` and ${names.length - MAX_LISTED} more` : '';
  return `${kind}: ${names.slice(0, MAX_LISTED).join(', ')}${more}.`;
}

/** The functions that `servers/<folder>` exports. */
export function functionsOf(folder: string, wrappers: WrapperSet): string[] {
  return wrappers.tools.filter((tool) => tool.folder === folder).map(({ functionName }) => functionName);
}

/** What can be imported in the place of a module that there is not. */
export function suggestModule(name: string, wrappers: WrapperSet, libraries: readonly string[]): string {
  const folders = [...new Set(wrappers.tools.map(({ folder }) => folder))];
  const wanted = name.replace(/^servers\//u, '');
  const near = nearestNames(wanted.split('/')[0] ?? wanted, [...folders, ...libraries, 'ampoule']);
  const modules = (names: readonly string[]): string[] => names.map((each) => (folders.includes(each) ? `servers/${each}` : each));
  return near.length > 0
    ? suggest(name, modules(near.slice(0, 1)), 'There is')
    : suggest('', modules([...folders, 'ampoule', ...libraries]), 'There are');
}

/** The property names of a type as a message shows it: `{ id: number; }`, or the name of a type of a wrapper. */
export function propertiesOf(type: string, wrappers: WrapperSet): string[] {
  if (type.startsWith('{')) return namesIn(type.slice(1, type.lastIndexOf('}')));
  if (!/^[\w$]+$/u.test(type)) return [];
  const heads = [`interface ${type} {\n`, `type ${type} = {\n`];
  for (const text of wrappers.files.values()) {
    const head = heads.find((candidate) => text.includes(candidate));
    if (head === undefined) continue;
    const start = text.indexOf(head) + head.length;
    return namesIn(text.slice(start, text.indexOf('\n}', start)));
  }
  return [];
}

/** The declaration of a property at `offset`: `state?: "open" | "closed"`. */
export function declarationAt(text: string, offset: number): string | undefined {
  const end = endOfMember(text, offset);
  const plain = text
    .slice(offset, end)
    .replaceAll(/\/\*[\s\S]*?\*\//gu, '')
    .replaceAll(/\s+/gu, ' ')
    .trim();
  if (plain === '') return undefined;
  return plain.length > MAX_DECLARATION ? `${plain.slice(0, MAX_DECLARATION)}…` : plain;
}

function endOfMember(text: string, offset: number): number {
  const part = /\/\*[\s\S]*?\*\/|"(?:[^"\\]|\\.)*"|[\s\S]/uy;
  let depth = 0;
  part.lastIndex = offset;
  for (let match = part.exec(text); match !== null && part.lastIndex < offset + 4000; match = part.exec(text)) {
    if (/^[{([]$/u.test(match[0])) depth += 1;
    else if (/^[})\]]$/u.test(match[0])) depth -= 1;
    if (depth < 0 || (depth === 0 && match[0] === ';')) return match.index;
  }
  return Math.min(text.length, offset + 4000);
}

function namesIn(members: string): string[] {
  const names: string[] = [];
  const part = /\/\*[\s\S]*?\*\/|"(?:[^"\\]|\\.)*"|[\w$]+|[\s\S]/gu;
  let depth = 0;
  let atStart = true;
  for (const [text] of members.matchAll(part)) {
    if (/^\s|^\/\*/u.test(text) || text === 'readonly') continue;
    if (atStart && depth === 0 && /^["\w$]/u.test(text)) names.push(text.replaceAll('"', ''));
    atStart = depth === 0 && text === ';';
    if (/^[{([<]$/u.test(text)) depth += 1;
    else if (/^[})\]>]$/u.test(text)) depth -= 1;
  }
  return names;
}
