import { describe, expect, test } from 'vitest';
import { desk, GIGA, limits, outcome } from './desk.ts';

describe('principals', () => {
  const LIMITED = { '*': { runsPerMinute: 1, concurrentRuns: 1, fuelPerHour: GIGA, toolCallsPerMinute: 1 } };

  test('one that has used up everything takes nothing from another', async () => {
    const { begin, refusal } = desk(LIMITED);
    const first = begin('key:a');
    await first.run(limits(GIGA), ({ fuel }) => Promise.resolve(outcome(fuel)));
    expect(first.takeCall()).toBeUndefined();
    expect(first.takeCall()).toBeDefined();
    expect(refusal('key:a')).toBeDefined();
    const other = begin('key:b');
    expect(other.takeCall()).toBeUndefined();
    expect(await other.run(limits(GIGA), ({ fuel }) => Promise.resolve(outcome(fuel)))).toMatchObject({ usage: { fuel: GIGA } });
  });

  test('for each key the most specific entry that has it counts', () => {
    const { begin, refusal } = desk({
      '*': { runsPerMinute: 1, concurrentRuns: 5 },
      'key:*': { runsPerMinute: 2 },
      'key:ci-*': { runsPerMinute: 'unlimited' },
      'key:ci-1': { concurrentRuns: 1 },
    });
    begin('oauth:https://id.example.com#ann').leave();
    expect(refusal('oauth:https://id.example.com#ann')?.message).toContain('principals["*"]');
    for (let n = 0; n < 2; n++) begin('key:a').leave();
    expect(refusal('key:a')?.message).toContain('2 runs in a minute (principals["key:*"].runsPerMinute)');
    for (let n = 0; n < 20; n++) begin('key:ci-2').leave();
    for (let n = 0; n < 5; n++) begin('key:ci-2');
    expect(refusal('key:ci-2')?.message).toContain('5 runs under way at a time (principals["*"].concurrentRuns)');
    begin('key:ci-1');
    expect(refusal('key:ci-1')?.message).toContain('one run under way at a time (principals["key:ci-1"].concurrentRuns)');
  });

  test('of globs that are as long the lowest limit counts', () => {
    const { begin, refusal } = desk({ 'key:*-ci': { runsPerMinute: 9 }, 'key:ro-*': { runsPerMinute: 1 } });
    begin('key:ro-ci').leave();
    expect(refusal('key:ro-ci')?.message).toContain('principals["key:ro-*"]');
  });

  test.each([
    'oauth:https://id.example.com/a/b#x',
    'a\nb',
    'a\n',
    '..',
    '.hidden',
    '!x',
    'key:[x]',
    '__proto__',
    'constructor',
    '‮',
    'x'.repeat(4_000),
  ])('no id gets around the limits of everybody: %#', (principal) => {
    const { begin, refusal } = desk({ '*': { runsPerMinute: 1 } });
    begin(principal).leave();
    expect(refusal(principal)?.code).toBe('ERR_QUOTA_RUNS');
  });

  test('an id with the signs of globs is meant as it stands', () => {
    const { begin, refusal } = desk({ 'key:[a]': { runsPerMinute: 1 }, 'key:*': { runsPerMinute: 2 } });
    begin('key:[a]').leave();
    expect(refusal('key:[a]')).toBeDefined();
  });

  test('thousands of them take bounded memory, and those with runs under way are never forgotten', () => {
    const { begin, refusal } = desk({ '*': { runsPerMinute: 1, concurrentRuns: 1 } });
    const held = begin('key:held');
    for (let n = 0; n < 30_000; n++) begin(`oauth:https://id.example.com#${n}`).leave();
    expect(refusal('key:held')?.code).toBe('ERR_QUOTA_CONCURRENT');
    expect(refusal('oauth:https://id.example.com#29999')?.code).toBe('ERR_QUOTA_RUNS');
    // Too long ago, with too many since: forgotten.
    expect(refusal('oauth:https://id.example.com#1')).toBeUndefined();
    held.leave();
  });
});
