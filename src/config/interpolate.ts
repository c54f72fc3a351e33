import type { JsonPath } from './json-source.ts';
import { nearestName } from '../nearest-name.ts';
import type { Finding } from './finding.ts';

/** Environment variables by name, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

const REFERENCE = /\$\$\{|\$\{[^}]*\}?/g;
const VARIABLE = /^\$\{env:([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?\}$/s;

/**
 * A copy of a JSON value with `${env:NAME}` and `${env:NAME:-default}` replaced in every string; `$${` gives `${`. What is put
 * in is not looked at again. Each reference that cannot be replaced is left as it is and reported.
 */
export function interpolate(value: unknown, environment: Environment): { value: unknown; findings: readonly Finding[] } {
  const findings: Finding[] = [];
  const text = (string: string, path: JsonPath) =>
    string.replace(REFERENCE, (reference) => {
      if (reference === '$${') return '${';
      const replaced = lookUp(reference, path, environment);
      if (typeof replaced === 'string') return replaced;
      findings.push(replaced);
      return reference;
    });
  return { value: mapStrings(value, [], text), findings };
}

function mapStrings(value: unknown, path: JsonPath, text: (string: string, path: JsonPath) => string): unknown {
  if (typeof value === 'string') return text(value, path);
  if (Array.isArray(value)) return value.map((item: unknown, index) => mapStrings(item, [...path, index], text));
  if (typeof value !== 'object' || value === null) return value;
  const copy: Record<string, unknown> = Object.create(null);
  for (const [key, item] of Object.entries(value)) copy[key] = mapStrings(item, [...path, key], text);
  return copy;
}

function lookUp(reference: string, path: JsonPath, environment: Environment): string | Finding {
  const [, name, fallback] = VARIABLE.exec(reference) ?? [];
  if (name === undefined) return unknownForm(path);
  const set = Object.hasOwn(environment, name) ? environment[name] : undefined;
  // As in a shell, an empty variable takes the default too.
  if (fallback !== undefined) return set === undefined || set === '' ? fallback : set;
  return set ?? unset(name, path, environment);
}

function unset(name: string, path: JsonPath, environment: Environment): Finding {
  const others = Object.keys(environment).filter((other) => environment[other] !== undefined);
  const near = nearestName(name, others);
  const meant = near === undefined ? '' : `, did you mean ${near}?`;
  return {
    kind: 'variable',
    path,
    message: `the environment variable ${name} is not set${meant}`,
    hint: `Set ${name} before starting, or give it a default: \${env:${name}:-default}.`,
  };
}

/** What was written is not shown: a reference that is badly closed swallows the text behind it. */
function unknownForm(path: JsonPath): Finding {
  return {
    kind: 'invalid',
    path,
    message: 'expected ${env:NAME} or ${env:NAME:-default}, got another ${...}',
    hint: 'Only environment variables can be put in. Write $${ for the two characters ${ themselves.',
  };
}
