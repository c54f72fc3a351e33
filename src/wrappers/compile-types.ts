import { compile } from 'json-schema-to-typescript';
import type { Options } from 'json-schema-to-typescript';

import { BOUNDS } from './bounds.ts';
import { SchemaTooLarge } from './read-schema.ts';
import { escapeInvisible, literal, propertyKey } from './text.ts';
import type { TypeModel, TypeNode } from './type-model.ts';

type LibrarySchema = Parameters<typeof compile>[0];

/** The name that the library sees instead of ours, because it rewrites names. */
const PLACEHOLDER = 'AmpouleType';

const OPTIONS: Partial<Options> = {
  additionalProperties: false,
  bannerComment: '',
  cwd: '/',
  format: false,
  ignoreMinAndMaxItems: true,
  unreachableDefinitions: false,
  // A model has no $ref left; should one slip in, nothing is fetched and nothing is read.
  $refOptions: { resolve: { external: false, file: false, http: false } },
};

/**
 * A settled model as exported TypeScript declarations, the root first.
 * @throws SchemaTooLarge when the text is over its bound even without the documentation of its parts
 */
export async function compileTypes(model: TypeModel): Promise<string> {
  const full = await declarations(model, true);
  if (full.length <= BOUNDS.typeText) return full;
  const bare = await declarations(model, false);
  if (bare.length <= BOUNDS.typeText) return bare;
  throw new SchemaTooLarge(`its type is longer than ${BOUNDS.typeText / 1024} KiB`);
}

async function declarations(model: TypeModel, withDocs: boolean): Promise<string> {
  const out: string[] = [];
  let length = 0;
  for (const [name, node] of model.definitions) {
    const text = await declaration(name, node, withDocs);
    out.push(text);
    length += text.length;
    if (length > BOUNDS.typeText) break;
  }
  return out.join('\n');
}

async function declaration(name: string, node: TypeNode, withDocs: boolean): Promise<string> {
  const keys: string[] = [];
  const text = await compile(toLibrarySchema(node, keys, withDocs), PLACEHOLDER, OPTIONS);
  return layOut(text.trim(), name, keys);
}

/**
 * Only forms whose output we know, and neither names nor references of the stranger: properties are numbered (`keys` keeps
 * their names), references are the library's `tsType` with names of ours.
 */
function toLibrarySchema(node: TypeNode, keys: string[], withDocs: boolean): LibrarySchema {
  const form = libraryForm(node, (below) => toLibrarySchema(below, keys, withDocs), keys);
  return withDocs && node.doc !== undefined ? { ...form, description: node.doc } : form;
}

function libraryForm(node: TypeNode, below: (node: TypeNode) => LibrarySchema, keys: string[]): LibrarySchema {
  switch (node.kind) {
    case 'unknown':
      return { tsType: 'unknown' };
    case 'never':
      return { tsType: 'never' };
    case 'primitive':
      return { type: node.name };
    case 'literals':
      return { tsType: node.values.length === 0 ? 'never' : node.values.map(literal).join(' | ') };
    case 'array':
      return { type: 'array', items: inParentheses(below(node.items)) };
    case 'tuple':
      return { type: 'array', items: node.items.map(below), additionalItems: node.rest === undefined ? false : below(node.rest) };
    case 'union':
      return { anyOf: node.members.map(below) };
    case 'intersection':
      return { allOf: node.members.map((member) => inParentheses(below(member))) };
    case 'reference':
      return { tsType: node.name };
    case 'object':
      return libraryObject(node, below, keys);
  }
}

/** The library puts `[]` or `&` next to a `tsType` as it is. */
function inParentheses(schema: LibrarySchema): LibrarySchema {
  const { tsType } = schema;
  return typeof tsType === 'string' && tsType.includes(' | ') ? { ...schema, tsType: `(${tsType})` } : schema;
}

function libraryObject(node: TypeNode & { kind: 'object' }, below: (node: TypeNode) => LibrarySchema, keys: string[]): LibrarySchema {
  const properties: Record<string, LibrarySchema> = {};
  const required: string[] = [];
  for (const property of node.properties) {
    const key = `property${keys.push(property.name) - 1}`;
    properties[key] = below(property.type);
    if (property.required) required.push(key);
  }
  const rest = node.rest?.kind === 'unknown' ? true : node.rest && below(node.rest);
  return { type: 'object', properties, required, additionalProperties: rest ?? false };
}

/** Puts names and keys in, and indents: the library writes one member per line and ends every opening line with a brace. */
function layOut(text: string, name: string, keys: readonly string[]): string {
  let depth = 0;
  const lines: string[] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    if (/^(\/\*\*| \*)/.test(line)) {
      lines.push('  '.repeat(depth) + line.trimEnd());
      continue;
    }
    if (line.startsWith('}')) depth -= 1;
    lines.push('  '.repeat(depth) + finishLine(line, name, keys));
    if (line.endsWith('{')) depth += 1;
  }
  return `${lines.join('\n')}\n`;
}

function finishLine(line: string, name: string, keys: readonly string[]): string {
  const named = line
    .replace(/^property(\d+)(?=\??: )/, (_, at: string) => propertyKey(keys[Number(at)] ?? ''))
    .replace(new RegExp(`^export (interface|type) ${PLACEHOLDER}\\b`), (_, keyword: string) => `export ${keyword} ${name}`);
  return escapeInvisible(named.endsWith('{') || named === '}' ? named : `${named};`);
}
