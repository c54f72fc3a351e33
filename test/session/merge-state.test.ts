import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SandboxError } from '../../src/errors.ts';
import { mergeState } from '../../src/session/merge-state.ts';

function merged(base: object, changed: object, present: object): unknown {
  const [first, second, third] = [base, changed, present].map((state) => JSON.stringify(state));
  return JSON.parse(mergeState({ base: first ?? '', changed: second ?? '', present: third ?? '' }));
}

function conflictOf(base: object, changed: object, present: object): SandboxError {
  try {
    merged(base, changed, present);
  } catch (error) {
    return error as SandboxError;
  }
  throw new Error('no conflict');
}

describe('what a run changed', () => {
  test.each([
    ['added', {}, { a: 1 }, { b: 2 }, { b: 2, a: 1 }],
    ['replaced', { a: 1, b: 1 }, { a: 2, b: 1 }, { a: 1, b: 3 }, { a: 2, b: 3 }],
    ['deleted', { a: 1, b: 1 }, { b: 1 }, { a: 1, b: 1, c: 1 }, { b: 1, c: 1 }],
    ['left alone', { a: 1 }, { a: 1 }, { a: 2 }, { a: 2 }],
    ['left alone, in another order', { a: { x: 1, y: 2 } }, { a: { y: 2, x: 1 } }, { a: 3 }, { a: 3 }],
    ['changed while another run changed it and changed it back', { a: 1 }, { a: 2 }, { a: 1 }, { a: 2 }],
  ])('is applied to the present state: %s', (_name, base, changed, present, expected) => {
    expect(merged(base, changed, present)).toEqual(expected);
  });

  test.each([
    ['replaced by both', { a: 1 }, { a: 2 }, { a: 3 }],
    ['added by both', {}, { a: 2 }, { a: 3 }],
    ['deleted here and replaced there', { a: 1 }, {}, { a: 3 }],
    ['replaced here and deleted there', { a: 1 }, { a: 2 }, {}],
    ['set by both to the same', { n: 0, a: 1 }, { n: 0, a: 2 }, { n: 0, a: 2 }],
    ['deleted by both', { a: 1 }, {}, { b: 1 }],
    ['null here and deleted there', { a: 1 }, { a: null }, {}],
  ])('conflicts with what another run made of the same key: %s', (_name, base, changed, present) => {
    const error = conflictOf(base, changed, present);
    expect(error.code).toBe('ERR_SESSION_CONFLICT');
    expect(error.message).toContain('the key "a" of its state');
  });

  test('may be under any key', () => {
    const state = JSON.parse('{"__proto__":1,"constructor":2,"":3,"\\u0000":4,"10":5}') as object;
    expect(mergeState({ base: '{"x":0}', changed: `{"x":0,${JSON.stringify(state).slice(1)}`, present: '{"x":0,"y":1}' })).toBe(
      '{"10":5,"x":0,"y":1,"__proto__":1,"constructor":2,"":3,"\\u0000":4}',
    );
    const present = '{"__proto__":2}';
    expect(() => mergeState({ base: '{}', changed: '{"__proto__":1}', present })).toThrow('"__proto__"');
  });

  test.each(['', '[]', 'null', '"x"', '{'])('is refused when it is no JSON object: %j', (changed) => {
    expect(() => mergeState({ base: '{}', changed, present: '{"a":1}' })).toThrow('not a JSON object');
  });
});

test('a conflict names at most ten keys and cuts long ones', () => {
  const keys = Array.from({ length: 12 }, (_, index) => `${index}-`.padEnd(100, 'k'));
  const to = (value: number): object => Object.fromEntries(keys.map((key) => [key, value]));
  const { message } = conflictOf({}, to(1), to(2));
  expect(message).toContain('the keys "0-kkk');
  expect(message).toContain('and 2 more of its state');
  expect(message.length).toBeLessThan(1_000);
});

describe('runs that go on at the same time', () => {
  const key = fc.constantFrom('a', 'b', 'c', '__proto__');
  const value = fc.option(fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constant({ x: 1, y: [2] })), { nil: undefined });
  /** What a run does: it sets keys, or deletes them. */
  const writes = fc.uniqueArray(fc.tuple(key, value), { maxLength: 4, selector: ([name]) => name });
  /** Of each run: how many commits of others it lets go by between its begin and its end. */
  const runs = fc.array(fc.record({ writes, late: fc.integer({ min: 0, max: 4 }) }), { minLength: 1, maxLength: 6 });

  const apply = (state: string, run: readonly (readonly [string, unknown])[]): string => {
    const next = new Map(Object.entries(JSON.parse(state) as object));
    for (const [name, to] of run) {
      if (to === undefined) next.delete(name);
      else next.set(name, to);
    }
    return JSON.stringify(Object.fromEntries(next));
  };
  const canonical = (state: string): unknown => Object.entries(JSON.parse(state) as object).sort(([a], [b]) => (a < b ? -1 : 1));

  test('leave what those that did not conflict would have left one after the other', () => {
    fc.assert(
      fc.property(runs, (all) => {
        // Run n ends as the nth, and began when the state was that after `n - late` runs.
        const states = ['{}'];
        let serial = '{}';
        for (const { writes: run, late } of all) {
          const present = states.at(-1) ?? '';
          const base = states[Math.max(0, states.length - 1 - late)] ?? '';
          try {
            const next = mergeState({ base, changed: apply(base, run), present });
            // A key that the run set to what it was already is not one that it changed.
            const changed = run.filter(([name]) => JSON.stringify(valueOf(base, name)) !== JSON.stringify(valueOf(apply(base, run), name)));
            serial = apply(serial, changed);
            states.push(next);
          } catch (error) {
            if ((error as SandboxError).code !== 'ERR_SESSION_CONFLICT') throw error;
            states.push(present);
          }
        }
        expect(canonical(states.at(-1) ?? '')).toEqual(canonical(serial));
      }),
      { numRuns: 2_000 },
    );
  });

  test('conflict exactly when both have changed a key, to the same value too', () => {
    fc.assert(
      fc.property(writes, writes, writes, (zero, one, two) => {
        const base = apply('{}', zero);
        const [changed, present] = [apply(base, one), apply(base, two)];
        const clash = ['a', 'b', 'c', '__proto__'].some((name) => {
          const [was, mine, theirs] = [base, changed, present].map((state) => JSON.stringify(valueOf(state, name)));
          return mine !== was && theirs !== was;
        });
        expect(codeOf(() => mergeState({ base, changed, present }))).toBe(clash ? 'ERR_SESSION_CONFLICT' : 'none');
      }),
      { numRuns: 1_000 },
    );
  });

  function codeOf(work: () => unknown): string {
    try {
      work();
      return 'none';
    } catch (error) {
      return (error as SandboxError).code;
    }
  }

  function valueOf(state: string, name: string): unknown {
    return new Map(Object.entries(JSON.parse(state) as object)).get(name);
  }
});
