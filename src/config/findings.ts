import type { z } from 'zod';
import type { Finding } from './finding.ts';
import { configJsonSchema } from './json-schema.ts';
import type { SchemaNode } from './json-schema.ts';
import { valueAt } from './json-source.ts';
import type { JsonPath } from './json-source.ts';
import { nearestName } from '../nearest-name.ts';
import { showValue } from './secrets.ts';
import { serverKind } from './server-kind.ts';
import type { Entry, ServerKind } from './server-kind.ts';

type Issue = z.core.$ZodIssue;

/** What operators of other programs write, and what it is called here. */
const OTHER_NAMES: Readonly<Record<string, string>> = { disabled: '"enabled": false' };

/** A whole config: `value` with its variables replaced, which nobody may see, and as it was written, which may be shown. */
export type View = Entry;

function kindAt(path: JsonPath, { value, written }: View): ServerKind {
  return serverKind({ value: valueAt(value, path), written: valueAt(written, path) }, path);
}

/** Zod's issues about a config in the operator's words. */
export function schemaFindings(issues: readonly Issue[], view: View): Finding[] {
  return issues.flatMap((issue) => issueFindings(issue, issue.path.map(word), view));
}

/** Symbols cannot be keys in JSON. */
function word(key: PropertyKey): string | number {
  return typeof key === 'symbol' ? String(key) : key;
}

function issueFindings(issue: Issue, path: JsonPath, view: View): Finding[] {
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(key, path, view));
    case 'invalid_key': {
      const rule = issue.issues[0]?.message ?? 'another name';
      return [{ kind: 'invalid', path, atKey: true, message: `the name ${JSON.stringify(path.at(-1))} cannot be used: expected ${rule}` }];
    }
    case 'invalid_union':
      return isServer(path) ? serverFindings(issue.errors, path, view) : [wrongValue(issue.message, path, view)];
    case 'invalid_type':
      return [wrongType(issue, path, view)];
    case 'invalid_value':
      return [wrongChoice(issue, path, view)];
    case 'too_big':
    case 'too_small':
    case 'not_multiple_of':
    case 'invalid_format':
    case 'invalid_element':
    case 'custom':
      return [wrongValue(issue.message, path, view)];
  }
}

function isServer(path: JsonPath): boolean {
  return path.length === 2 && path[0] === 'mcpServers';
}

/** The issues of the branch that the entry means. */
function serverFindings(branches: readonly (readonly Issue[])[], path: JsonPath, view: View): Finding[] {
  const kind = kindAt(path, view);
  const issues = kind.kind === 'neither' ? [] : (branches[kind.kind === 'stdio' ? 0 : 1] ?? []);
  return issues.flatMap((issue) => issueFindings(issue, [...path, ...issue.path.map(word)], view));
}

/** Servers that are neither one kind nor the other, with the unknown keys that may be why; everything else about them is noise. */
export function serverKindFindings(view: View): { roots: readonly JsonPath[]; findings: readonly Finding[] } {
  const servers = valueAt(view.value, ['mcpServers']);
  const roots: JsonPath[] = [];
  const findings: Finding[] = [];
  for (const [name, entry] of typeof servers === 'object' && servers !== null ? Object.entries(servers) : []) {
    const path = ['mcpServers', name];
    const kind = kindAt(path, view);
    if (kind.kind !== 'neither') continue;
    roots.push(path);
    const known = new Set(rightKeys(path, view));
    const unknown = typeof entry === 'object' && entry !== null ? Object.keys(entry).filter((key) => !known.has(key)) : [];
    findings.push(kind.finding, ...unknown.map((key) => unknownKey(key, path, view)));
  }
  return { roots, findings };
}

function wrongValue(expected: string, path: JsonPath, view: View): Finding {
  const written = valueAt(view.written, path);
  const replaced = hasVariable(written) ? ' with its variables replaced' : '';
  return { kind: 'invalid', path, message: `expected ${expected}, got ${showValue(written, path)}${replaced}` };
}

function wrongType(issue: z.core.$ZodIssueInvalidType, path: JsonPath, view: View): Finding {
  // Our schema words its own expectations, but for plain objects.
  const finding = wrongValue(issue.message.startsWith('Invalid input') ? 'an object' : issue.message, path, view);
  const hint = 'A variable gives text: numbers, lists and true or false have to be written out.';
  return hasVariable(valueAt(view.written, path)) ? { ...finding, hint } : finding;
}

function hasVariable(written: unknown): boolean {
  return typeof written === 'string' && written.includes('${env:');
}

function wrongChoice(issue: z.core.$ZodIssueInvalidValue, path: JsonPath, view: View): Finding {
  const value = valueAt(view.written, path);
  const choices = issue.values.map(String);
  const near = typeof value === 'string' ? nearestName(value, choices) : undefined;
  const expected = isServer(path.slice(0, -1)) ? issue.message : `one of ${choices.map((choice) => `"${choice}"`).join(', ')}`;
  const finding = wrongValue(expected, path, view);
  return near === undefined ? finding : { ...finding, message: `${finding.message}; did you mean "${near}"?` };
}

function unknownKey(key: string, parent: JsonPath, view: View): Finding {
  const keys = rightKeys(parent, view);
  const other = Object.hasOwn(OTHER_NAMES, key) ? OTHER_NAMES[key] : undefined;
  const near = nearestName(key, keys);
  const meant = other ?? (near === undefined ? undefined : `"${near}"`);
  const question = meant === undefined ? '.' : `, did you mean ${meant}?`;
  return { kind: 'invalid', path: [...parent, key], atKey: true, message: `unknown key${question} Right keys: ${keys.join(', ')}` };
}

/** The keys that the object at a path may have: for a server those of its kind, or of both kinds when it has none. */
function rightKeys(path: JsonPath, view: View): string[] {
  let nodes: readonly SchemaNode[] = [configJsonSchema()];
  path.forEach((step, index) => {
    nodes = nodes.flatMap((node) => branches(childNode(node, step), path.slice(0, index + 1), view));
  });
  return [...new Set(nodes.flatMap((node) => Object.keys(node.properties ?? {})))];
}

function childNode(node: SchemaNode, step: string | number): SchemaNode | undefined {
  if (typeof step === 'number') return node.items;
  if (node.properties !== undefined && Object.hasOwn(node.properties, step)) return node.properties[step];
  return typeof node.additionalProperties === 'object' ? node.additionalProperties : undefined;
}

function branches(node: SchemaNode | undefined, path: JsonPath, view: View): readonly SchemaNode[] {
  if (node?.anyOf === undefined) return node === undefined ? [] : [node];
  const { kind } = kindAt(path, view);
  const chosen = node.anyOf.filter(
    ({ properties }) => properties !== undefined && Object.hasOwn(properties, kind === 'http' ? 'url' : 'command'),
  );
  return kind === 'neither' ? node.anyOf : chosen;
}
