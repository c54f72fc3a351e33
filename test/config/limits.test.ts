import { describe, expect, test } from 'vitest';
import { LIMITS } from '../../src/limits.ts';
import type { Limit } from '../../src/limits.ts';
import { errorOf, parse } from './parse.ts';

interface Range {
  readonly path: readonly string[];
  readonly minimum: number;
  readonly maximum: number;
}

const RANGES: readonly Range[] = [
  ...Object.entries(LIMITS).map(([name, { minimum, maximum }]: [string, Limit]) => ({ path: ['limits', name], minimum, maximum })),
  { path: ['http', 'port'], minimum: 0, maximum: 65_535 },
  { path: ['principals', 'local', 'runsPerMinute'], minimum: 1, maximum: 1_000_000 },
  { path: ['principals', 'local', 'concurrentRuns'], minimum: 1, maximum: 100_000 },
  { path: ['principals', 'local', 'fuelPerHour'], minimum: 50_000_000, maximum: 1_000_000_000_000_000 },
  { path: ['principals', 'local', 'toolCallsPerMinute'], minimum: 1, maximum: 10_000_000 },
  { path: ['audit', 'retentionDays'], minimum: 1, maximum: 3_650 },
  { path: ['audit', 'maxBytes'], minimum: 1_048_576, maximum: 1_099_511_627_776 },
  { path: ['workers'], minimum: 1, maximum: 64 },
  { path: ['executors'], minimum: 1, maximum: 16 },
  { path: ['executorMemoryMb'], minimum: 512, maximum: 1_048_576 },
  { path: ['mcpServers', 's', 'timeoutMs'], minimum: 100, maximum: 3_600_000 },
];

function configWith(path: readonly string[], value: number): Record<string, unknown> {
  const whole = path.reduceRight<unknown>(
    (inner, key) => ({ [key]: inner, ...(key === 's' ? { s: { command: 'x', timeoutMs: value } } : {}) }),
    value,
  );
  return whole as Record<string, unknown>; // every path has at least one key
}

function read(config: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], config); // the paths above are paths of a config
}

describe.each(RANGES)('the range of $path', ({ path, minimum, maximum }) => {
  test.each([minimum, maximum])('has %d in it', (value) => {
    expect(read(parse(configWith(path, value)), path)).toBe(value);
  });

  test.each([minimum - 1, maximum + 1, minimum + 0.5])('does not have %d in it', (value) => {
    const error = errorOf(configWith(path, value));
    expect(error.code).toBe('ERR_CONFIG_INVALID');
    expect(error.message).toContain(`${path.join('.')}: expected `);
    expect(error.message).toMatch(new RegExp(`from ${minimum} to ${maximum}, got ${value}$`));
  });
});
