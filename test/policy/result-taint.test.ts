import { expect, test } from 'vitest';
import { ResultTaint } from '../../src/policy/result-taint.ts';
import { codeOf, desk, tool, wordsOf } from './policies.ts';

const id = (n: number): string => n.toString(16).padStart(32, '0');
const uri = (n: number): string => `ampoule://results/${id(n)}`;

test('a text names results by their path or by their id alone', () => {
  const taint = new ResultTaint();
  taint.keep(uri(1), 1);
  taint.keep(uri(2), 2);
  taint.keep(uri(3), 0);
  expect(taint.rulesIn(`readFile("results/${id(1)}?offset=5"); const other = "${id(2)}"; results/${id(3)}`)).toBe(3);
  expect(taint.rulesIn(`"results/${id(3)}"`)).toBe(0);
  // Another 32 digits are something else, unless they are named as a result that we know nothing of.
  expect(taint.rulesIn(id(9))).toBe(0);
  expect(taint.rulesIn(`results/${id(9)}`)).toBe(~0);
});

test('the oldest is forgotten when there are too many, and counts as coming from everywhere', () => {
  const taint = new ResultTaint(2);
  for (const n of [1, 2]) taint.keep(uri(n), 0);
  expect(taint.rulesIn(`results/${id(1)}`)).toBe(0);
  taint.keep(uri(3), 0);
  expect([taint.rulesIn(`results/${id(1)}`), taint.rulesIn(`results/${id(2)}`)]).toEqual([~0, 0]);
});

test('a run that names a result of a run that had seen a source sends nothing to where that may not go', async () => {
  const rules = { dataFlow: [{ from: ['mail.*'], to: ['web.*'] }] };
  const { begin } = desk(rules, { mail: [tool('read')], web: [tool('post')], files: [tool('write')] }, () => 'a letter of some length');
  const [reads, other] = [begin(), begin()];
  await reads.call('mail.read');
  reads.policies.keepResults([{ uri: uri(1) }]);
  other.policies.keepResults([{ uri: uri(2) }]);
  const next = begin();
  next.policies.openProgram({ code: `readFile("results/${id(1)}")` });
  const answer = await next.call('web.post', { text: 'anything' });
  expect(codeOf(answer)).toBe('ERR_CALL_DATA_FLOW');
  expect(wordsOf(answer)).toContain('can read');
  expect(codeOf(await next.call('files.write', { text: 'anything' }))).toBe('ok');
  const byInput = begin();
  byInput.policies.openProgram({ code: 'return 1', input: { where: uri(1) } });
  expect(codeOf(await byInput.call('web.post', {}))).toBe('ERR_CALL_DATA_FLOW');
  const free = begin();
  free.policies.openProgram({ code: `readFile("results/${id(2)}")` });
  expect(codeOf(await free.call('web.post', { text: 'anything' }))).toBe('ok');
  // What such a run keeps is no better.
  next.policies.keepResults([{ uri: uri(4) }]);
  const last = begin();
  last.policies.openProgram({ code: `readFile("results/${id(4)}")` });
  expect(codeOf(await last.call('web.post', {}))).toBe('ERR_CALL_DATA_FLOW');
});
