import { beforeAll, expect, test } from 'vitest';
import { type Engine, openEngine, runProgram } from '../harness.ts';

/** A program and what it returns. In it, `t` tells how a call ended: its value, or the name of what it threw. */
export type Case = readonly [name: string, code: string, expected: unknown];

const HELPERS = 'const t = (f) => { try { return f() } catch (e) { return e.name } };';

/** Runs each program on the engine of the project. */
export function check(cases: readonly Case[]): void {
  let engine: Engine;
  beforeAll(async () => {
    engine = await openEngine();
  });
  test.each(cases)('%s', (_name, code, expected) => {
    const { ending, result } = runProgram(engine, `${HELPERS}\n${code}`);
    expect(ending).toEqual({ status: 'completed' });
    expect(result).toEqual(expected);
  });
}
