import { expect, test } from 'vitest';
import { PreparedPrograms } from '../../../src/execute/executor/prepared-programs.ts';
import type { MakeResult, MakeTask } from '../../../src/execute/worker-protocol.ts';

/** Programs that are made when the test says so. */
function prepared(): {
  programs: PreparedPrograms;
  kept: Map<string, Uint8Array>;
  making: Map<string, (result: MakeResult | Error) => void>;
} {
  const kept = new Map<string, Uint8Array>();
  const making = new Map<string, (result: MakeResult | Error) => void>();
  const make = ({ key }: MakeTask): Promise<MakeResult> =>
    new Promise((resolve, reject) => {
      making.set(key, (result) => (result instanceof Error ? reject(result) : resolve(result)));
    });
  const programs = new PreparedPrograms(
    (key) => kept.has(key),
    make,
    (key, made) => void kept.set(key, made),
  );
  return { programs, kept, making };
}

const MADE = Uint8Array.of(1, 2, 3);

test('a program that is made ahead is there for its run, which is told once how long it took', async () => {
  const { programs, kept, making } = prepared();
  programs.prepare('a', 'script');
  const preparing = programs.preparing('a');
  making.get('a')?.(MADE);
  await preparing;
  expect(kept.get('a')).toBe(MADE);
  expect(programs.preparing('a')).toBeUndefined();
  expect([programs.take('a'), programs.take('a')]).toEqual([expect.any(Number), undefined]);
});

test.each([
  ['the engine refuses', { status: 'failed', code: 'ERR_COMPONENT_LOAD', message: 'no' } satisfies MakeResult],
  ['a worker dies over', new Error('the worker ended')],
])('a program that %s is left to its run', async (_what, result) => {
  const { programs, kept, making } = prepared();
  programs.prepare('a', 'script');
  const preparing = programs.preparing('a');
  making.get('a')?.(result);
  await preparing;
  expect([kept.size, programs.take('a'), programs.preparing('a')]).toEqual([0, undefined, undefined]);
});

test('a program is made once however often it is asked for, and not at all when it is there', () => {
  const { programs, kept, making } = prepared();
  kept.set('there', MADE);
  for (const key of ['a', 'a', 'there']) programs.prepare(key, 'script');
  expect([...making.keys()]).toEqual(['a']);
});

test('at most sixteen programs are made ahead at one time', async () => {
  const { programs, making } = prepared();
  for (let i = 0; i < 20; i++) programs.prepare(`p${i}`, 'script');
  expect(making.size).toBe(16);
  making.get('p0')?.(MADE);
  await programs.preparing('p0');
  programs.prepare('late', 'script');
  expect(making.has('late')).toBe(true);
});
