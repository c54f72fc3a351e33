import { expect, test } from 'vitest';
import { callDifference, missingCall } from '../../../src/execution/calls/call-difference.ts';
import { decide, interrupted } from '../../../src/execution/calls/unknown-calls.ts';

const CALL = { executionId: 'exe_1', number: 3, server: 'mail', tool: 'send', arguments: '{"to":"ann@example.com"}' };

test.each([
  ['asked', false, 'fail', true, 'make'],
  ['asked', false, 'ask', false, 'make'],
  ['sent', true, 'fail', true, 'make'],
  ['sent', true, 'ask', true, 'make'],
  ['sent', false, 'fail', true, 'fail'],
  ['sent', false, 'ask', true, 'ask'],
  ['sent', false, 'ask', false, 'fail'],
] as const)('of a call that was %s, repeatable %s, with "%s", somebody to ask %s: %s', (stage, isRepeatable, policy, canAsk, decision) => {
  expect(decide({ stage, isRepeatable }, policy, canAsk)).toBe(decision);
});

test('the answer to a call that nobody knows of names it', () => {
  expect(interrupted(CALL)).toMatchObject({
    ok: false,
    error: { code: 'ERR_CALL_INTERRUPTED', message: expect.stringContaining('"mail.send"') },
  });
});

test.each([
  ['is the same', {}, undefined],
  ['is of another tool', { tool: 'delete' }, 'Call 3 of the run was "mail.send" and came again as "mail.delete".'],
  ['is of another server', { server: 'post' }, 'Call 3 of the run was "mail.send" and came again as "post.send".'],
  ['has other arguments', { arguments: '{"to":"bob@example.com"}' }, 'with other arguments, from character 8 of their JSON text on.'],
  ['has more arguments', { arguments: `${CALL.arguments} ` }, 'from character 25 of'],
  ['has fewer arguments', { arguments: '' }, 'from character 1 of'],
])('a call that comes again and %s is told without its arguments', (_, change, said) => {
  const difference = callDifference(CALL, { ...CALL, ...change });
  expect(difference ?? '').toContain(said ?? '');
  expect(difference === undefined).toBe(said === undefined);
  expect(difference ?? '').not.toMatch(/ann|bob/);
});

test('a call that does not come again is named', () => {
  expect(missingCall(CALL)).toBe('Call 3 of the run was "mail.send" and did not come again.');
});
