import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { expect } from 'vitest';
import { ERROR_CODES, SandboxError } from '../../src/errors.ts';
import { parseConfig } from '../../src/config/load-config.ts';
import { parseJson } from '../../src/config/json-source.ts';
import { property } from './property.ts';

const SCHEMA = JSON.parse(readFileSync(new URL('../../ampoule.schema.json', import.meta.url), 'utf8')) as Schema;
const FILE = '/etc/ampoule/ampoule.json';
const CONFIG_CODES = ERROR_CODES.filter((code) => code.startsWith('ERR_CONFIG_'));

/** What of a JSON Schema says what a config looks like. */
interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
}

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.constantFrom(
    '',
    'a',
    'local',
    'key:ci-*',
    '__proto__',
    'constructor',
    '${env:HOME}',
    '${env:NOPE}',
    '${env:',
    '*.*',
    'a.b',
    '../x',
    '\0',
    'http://127.0.0.1/',
    'https://x',
    '[',
    '{a,',
    '(a+)+$',
    'en',
    'xx-XX',
  ),
);
const anything = fc.oneof(fc.jsonValue({ maxDepth: 2, stringUnit: 'binary' }), text, fc.constantFrom(0, -1, 1e300, 0.5, 2 ** 53));

/** Mostly what the schema says, and anything else in between. */
function like(schema: Schema, depth = 0): fc.Arbitrary<unknown> {
  const choices = schema.anyOf ?? schema.oneOf;
  const honest: fc.Arbitrary<unknown> =
    schema.const !== undefined
      ? fc.constant(schema.const)
      : schema.enum
        ? fc.constantFrom(...schema.enum)
        : choices
          ? fc.oneof(...choices.map((one) => like(one, depth + 1)))
          : ofType(schema, depth);
  return fc.oneof({ weight: 12, arbitrary: honest }, { weight: 1, arbitrary: anything });
}

function ofType(schema: Schema, depth: number): fc.Arbitrary<unknown> {
  const { type, properties, additionalProperties, items, minimum = 0, maximum = 1_000 } = schema;
  if (properties || additionalProperties) {
    const known = fc.record(Object.fromEntries(Object.entries(properties ?? {}).map(([key, one]) => [key, like(one, depth + 1)])), {
      requiredKeys: [],
    });
    const rest =
      typeof additionalProperties === 'object'
        ? fc.dictionary(text, like(additionalProperties, depth + 1), { maxKeys: 3 })
        : fc.dictionary(text, anything, { maxKeys: 1 });
    return fc
      .tuple(
        known,
        fc.oneof({ weight: typeof additionalProperties === 'object' ? 9 : 1, arbitrary: rest }, { weight: 6, arbitrary: fc.constant({}) }),
      )
      .map(([a, b]) => ({ ...a, ...b }));
  }
  if (type === 'array') return fc.array(items ? like(items, depth + 1) : anything, { maxLength: 3 });
  if (type === 'integer' || type === 'number') return fc.oneof(fc.constantFrom(minimum, Math.min(maximum, 2 ** 53)), fc.nat(1_000));
  if (type === 'boolean') return fc.boolean();
  return type === 'string' ? text : anything;
}

/** Leaves out most of the file, so that what is left is looked at. */
const configs = like(SCHEMA).chain((whole) =>
  typeof whole === 'object' && whole !== null && !Array.isArray(whole)
    ? fc.subarray(Object.keys(whole)).map((keys) => Object.fromEntries(keys.map((key) => [key, (whole as Record<string, unknown>)[key]])))
    : fc.constant(whole),
);

function check(config: string): void {
  try {
    const parsed = parseConfig(config, { file: FILE, environment: { HOME: '/root' } });
    expect(parsed.file).toBe(FILE);
  } catch (thrown) {
    if (!(thrown instanceof SandboxError)) throw thrown;
    expect(CONFIG_CODES).toContain(thrown.code);
    const { diagnostics } = thrown.details;
    for (const message of [thrown.message, ...(diagnostics ?? []).map((one) => one.message)]) {
      // File, line, column, the field (or the whole file) and what is wrong with it.
      expect(message).toMatch(/^\/etc\/ampoule\/ampoule\.json:\d+:\d+: (?:not JSON|\S[\s\S]*): \S/u);
    }
    if (thrown.code === 'ERR_CONFIG_INVALID' && isObject(config)) expect(namesField(thrown.message, config)).toBe(true);
  }
}

function isObject(config: string): boolean {
  const value: unknown = JSON.parse(config);
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The field of a message begins with a key that the file has. */
function namesField(message: string, config: string): boolean {
  const field = message.replace(/^\S+:\d+:\d+: /u, '');
  const known = [...Object.keys(JSON.parse(config) as object), '__proto__'];
  return known.some((key) => field.startsWith(key) || field.startsWith(`[${JSON.stringify(key)}]`));
}

property('any config is read, or refused with a code and the field that is wrong', 60, configs, (config) => check(JSON.stringify(config)));

property(
  'any text as a config is read, or refused with a code',
  80,
  fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.json(),
    configs.map((config) => JSON.stringify(config)).chain((whole) => fc.nat(whole.length).map((at) => whole.slice(0, at))),
  ),
  (whole) => {
    try {
      parseConfig(whole, { file: FILE, environment: {} });
    } catch (thrown) {
      if (!(thrown instanceof SandboxError)) throw thrown;
      expect(CONFIG_CODES).toContain(thrown.code);
    }
  },
);

property(
  'the parser of the config reads what JSON.parse reads, and nothing else',
  600,
  fc.oneof(
    fc.json({ stringUnit: 'binary' }),
    fc.string(),
    fc
      .array(
        fc.constantFrom('{', '}', '[', ']', '"', ',', ':', '1', '-', '.', 'e', 'true', 'null', ' ', '\n', '\\', '\\u00e9', '01', 'x'),
        { maxLength: 14 },
      )
      .map((parts) => parts.join('')),
  ),
  (whole) => {
    const theirs = tried(() => JSON.stringify(JSON.parse(whole)));
    // A key that stands twice, and "__proto__", are told apart by the parser: they are findings.
    const ours = tried(() => {
      const { value, badKeys } = parseJson(whole);
      return badKeys.length > 0 ? theirs : JSON.stringify(value);
    });
    expect(ours).toBe(theirs);
  },
);

function tried(work: () => string | undefined): string | undefined {
  try {
    return work();
  } catch {
    return 'refused';
  }
}
