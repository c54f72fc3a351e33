import { expect, test } from 'vitest';
import { SeenValues } from '../../src/policy/seen-values.ts';
import { SessionTaint } from '../../src/policy/session-taint.ts';

const fresh = (...values: unknown[]): SeenValues => {
  const seen = new SeenValues({ minLength: 8, pieceLength: 24, memory: { slots: 0, maxSlots: 1 << 24 } });
  for (const value of values) seen.note(value, new Set());
  return seen;
};
const holds = (taint: SessionTaint, handle: string, state: object, text: string): boolean => {
  const seen = fresh();
  taint.open(handle, JSON.stringify(state), [seen]);
  return seen.holds(text);
};

test('each rule has its own memory of a state', () => {
  const taint = new SessionTaint();
  const state = { one: 'alpha-first', two: 'omega-second', none: 'from nowhere at all' };
  taint.keep('s', JSON.stringify(state), [fresh('alpha-first'), fresh('omega-second')]);
  const [first, second] = [fresh(), fresh()];
  taint.open('s', JSON.stringify(state), [first, second]);
  expect(Object.values(state).map((text) => first.holds(text))).toEqual([true, false, false]);
  expect(Object.values(state).map((text) => second.holds(text))).toEqual([false, true, false]);
});

test('what runs at the same time leave is remembered together', () => {
  const taint = new SessionTaint();
  taint.keep('s', '{"a":"a secret text"}', [fresh('a secret text')]);
  taint.keep('s', '{"b":"a harmless text"}', [fresh('another')]);
  const merged = { a: 'a secret text', b: 'a harmless text' };
  expect([holds(taint, 's', merged, 'a secret text'), holds(taint, 's', merged, 'a harmless text')]).toEqual([true, false]);
  expect(holds(taint, 'another session', merged, 'a harmless text')).toBe(true);
});

test('what was a secret once stays one, also when a run that does not know wrote it again', () => {
  const taint = new SessionTaint();
  taint.keep('s', '{"a":"a secret text"}', [fresh('a secret text')]);
  taint.keep('s', '{"a":"a secret text"}', [fresh()]);
  expect(holds(taint, 's', { a: 'a secret text' }, 'a secret text')).toBe(true);
});

test('long texts and numbers are remembered too', () => {
  const taint = new SessionTaint();
  const state = { long: 'word '.repeat(1_000), n: 12_345_678, other: 'other '.repeat(1_000) };
  taint.keep('s', JSON.stringify(state), [fresh(state.long, state.n)]);
  expect([state.long, '12345678', state.other].map((text) => holds(taint, 's', state, text))).toEqual([true, true, false]);
});

test('more texts than are kept count as coming from everywhere, the newest state first', () => {
  const taint = new SessionTaint(10);
  const state = (from: number, size: number): object =>
    Object.fromEntries(Array.from({ length: size }, (_, n) => [`k${n}`, `text no ${from + n}`]));
  taint.keep('s', JSON.stringify(state(0, 5)), [fresh()]);
  expect(holds(taint, 's', state(0, 5), 'text no 4')).toBe(false);
  // Five keys and five texts each: the first state's texts go.
  taint.keep('s', JSON.stringify(state(100, 5)), [fresh()]);
  expect([holds(taint, 's', state(100, 5), 'text no 104'), holds(taint, 's', state(0, 5), 'text no 0')]).toEqual([false, true]);
  taint.keep('s', JSON.stringify(state(200, 50)), [fresh()]);
  expect([holds(taint, 's', state(200, 50), 'text no 200'), holds(taint, 's', state(200, 50), 'text no 249')]).toEqual([false, true]);
});
