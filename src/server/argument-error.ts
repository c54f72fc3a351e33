import type { z } from 'zod';
import { SandboxError } from '../errors.ts';
import { nearestName } from '../nearest-name.ts';

const MAX_FINDINGS = 10;
/** Keys can be of any length. */
const MAX_PATH = 120;

/** The keys that there may be at a path. */
type KeysAt = (path: readonly PropertyKey[]) => readonly string[];

/** What is wrong with the arguments of a tool, in words that name the argument, the value and the fix: ERR_SERVER_INPUT. */
export function argumentError(issues: readonly z.core.$ZodIssue[], args: unknown, keysAt: KeysAt, hint?: string): SandboxError {
  // A misspelt key also makes the right one missing: the misspelling is the finding to read first.
  const unknown = issues.filter(({ code }) => code === 'unrecognized_keys');
  const others = issues.filter(({ code }) => code !== 'unrecognized_keys');
  const messages = [...unknown, ...others].flatMap((issue) => issueTexts(issue, args, keysAt)).slice(0, MAX_FINDINGS);
  const [first = 'The arguments are not valid.'] = messages;
  const diagnostics = messages.map((message) => ({ message }));
  return new SandboxError('ERR_SERVER_INPUT', first, { ...(messages.length > 1 && { diagnostics }), ...(hint !== undefined && { hint }) });
}

function issueTexts(issue: z.core.$ZodIssue, args: unknown, keysAt: KeysAt): string[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.slice(0, MAX_FINDINGS).map((key) => unknownKeyText(key, issue.path, keysAt(issue.path)));
  }
  if (issue.code === 'invalid_key') {
    const key = JSON.stringify(String(issue.path.at(-1)).slice(0, 40).toWellFormed());
    return [`${nameOf(issue.path.slice(0, -1))} must be ${issue.message}; it cannot have the key ${key}.`];
  }
  const name = nameOf(issue.path);
  return [`${name} must be ${issue.message}, not ${shown(valueAt(args, issue.path))}.`];
}

function nameOf(path: readonly PropertyKey[]): string {
  return path.length === 0 ? 'The arguments' : `Argument "${path.map(String).join('.').slice(0, MAX_PATH).toWellFormed()}"`;
}

function unknownKeyText(key: string, path: readonly PropertyKey[], keys: readonly string[]): string {
  const clipped = key.slice(0, 40).toWellFormed();
  const near = nearestName(clipped, keys);
  const known = near === undefined ? `Known are ${keys.map((name) => `"${name}"`).join(', ')}.` : `Did you mean "${near}"?`;
  return `Unknown argument ${JSON.stringify([...path, clipped].join('.'))}. ${known}`;
}

function valueAt(args: unknown, path: readonly PropertyKey[]): unknown {
  let value = args;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

function shown(value: unknown): string {
  if (value === undefined) return 'missing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60).toWellFormed()}…` : text;
}
