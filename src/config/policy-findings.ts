import { RE2JS } from 're2js';
import { nearestName } from '../nearest-name.ts';
import type { Finding } from './finding.ts';
import { valueAt } from './json-source.ts';
import type { JsonPath } from './json-source.ts';

/** A pattern that compiles to more than this would be slow on every character of every answer. */
const MAX_PROGRAM_SIZE = 5_000;
const MAX_PATTERN_LENGTH = 2_000;
const SPECIAL = /[*?[\]{}()|!+@\\]/;

/** What is wrong with policies and grants beyond their shape: servers that there are not, and patterns that cannot be used. */
export function policyFindings(value: unknown): Finding[] {
  const servers = Object.keys(recordAt(value, ['mcpServers']));
  return [
    ...Object.keys(recordAt(value, ['policies', 'servers'])).flatMap((name) =>
      unknownServer(name, ['policies', 'servers', name], servers, true),
    ),
    ...Object.keys(recordAt(value, ['principals'])).flatMap((glob) => {
      const at = ['principals', glob, 'policies', 'servers'];
      return Object.keys(recordAt(value, at)).flatMap((name) => unknownServer(name, [...at, name], servers, true));
    }),
    ...listAt(value, ['policies', 'personalData', 'servers']).flatMap((name, index) =>
      unknownServer(name, ['policies', 'personalData', 'servers', index], servers),
    ),
    ...Object.keys(recordAt(value, ['auth', 'oauth', 'scopes'])).flatMap((scope) =>
      addressFindings(value, ['auth', 'oauth', 'scopes', scope], servers),
    ),
    ...listAt(value, ['policies', 'dataFlow']).flatMap((_rule, index) =>
      (['from', 'to'] as const).flatMap((side) => addressFindings(value, ['policies', 'dataFlow', index, side], servers)),
    ),
    ...Object.entries(recordAt(value, ['policies', 'personalData', 'patterns'])).flatMap(([kind, pattern]) =>
      patternFindings(pattern, ['policies', 'personalData', 'patterns', kind]),
    ),
  ];
}

function unknownServer(name: unknown, path: JsonPath, servers: readonly string[], atKey = false): Finding[] {
  if (typeof name !== 'string' || servers.includes(name)) return [];
  const near = nearestName(name, servers);
  const meant = near === undefined ? knownServers(servers) : `did you mean "${near}"?`;
  return [{ kind: 'invalid', path, atKey, message: `there is no server ${JSON.stringify(name)} in mcpServers, ${meant}` }];
}

function knownServers(servers: readonly string[]): string {
  return servers.length === 0 ? 'which is empty' : `which has ${servers.slice(0, 20).join(', ')}`;
}

/** `mail.*` means a server that has to be there; a glob of servers may mean any. Names may hold dots: one reading that fits is enough. */
function addressFindings(value: unknown, path: JsonPath, servers: readonly string[]): Finding[] {
  return listAt(value, path).flatMap((text, index) => {
    if (typeof text !== 'string') return [];
    const names = [...text.matchAll(/\./g)].map((dot) => text.slice(0, dot.index)).filter((name) => name !== '');
    const [first] = names;
    if (first === undefined || names.some((name) => SPECIAL.test(name) || servers.includes(name))) return [];
    return unknownServer(first, [...path, index], servers);
  });
}

function patternFindings(pattern: unknown, path: JsonPath): Finding[] {
  if (typeof pattern !== 'string' || pattern === '') return [];
  const problem = patternProblem(pattern);
  if (problem === undefined) return [];
  const hint = 'Patterns are RE2: no look-around, no back-references, and no pattern that matches the empty text.';
  return [{ kind: 'invalid', path, message: `expected a regular expression that can be used, but it ${problem}`, hint }];
}

function patternProblem(pattern: string): string | undefined {
  if (pattern.length > MAX_PATTERN_LENGTH) return `is longer than ${MAX_PATTERN_LENGTH} characters`;
  try {
    const compiled = RE2JS.compile(RE2JS.translateRegExp(pattern));
    if (compiled.programSize() > MAX_PROGRAM_SIZE) return 'is too large once it is compiled';
    return compiled.matches('') || compiled.matcher('').find() ? 'matches the empty text' : undefined;
  } catch (error) {
    return `cannot be compiled: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function recordAt(value: unknown, path: JsonPath): Readonly<Record<string, unknown>> {
  const found = valueAt(value, path);
  return typeof found === 'object' && found !== null && !Array.isArray(found) ? (found as Record<string, unknown>) : {};
}

function listAt(value: unknown, path: JsonPath): readonly unknown[] {
  const found = valueAt(value, path);
  return Array.isArray(found) ? found : [];
}
