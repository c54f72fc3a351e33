import { expect, test } from 'vitest';
import { approvalText, repeatText } from '../../src/result/approval-text.ts';

const CALL = {
  server: 'tickets',
  tool: 'delete',
  arguments: { id: 7 },
  rule: 'policies.servers.tickets.policy',
  program: { code: 'return 1;', hash: 'ab'.repeat(32) },
};

test('a question says what is called with what, why, and by which program', () => {
  expect(approvalText({ ...CALL, title: 'Delete a ticket', definition: '0123456789abcdef' }))
    .toBe(`A program that an agent wrote wants to call the tool tickets.delete ("Delete a ticket", as it calls itself).
Arguments: {"id":7}
You are asked because of policies.servers.tickets.policy.
The definition of the tool is 0123456789abcdef: if it is another when you have answered, nothing is sent.
The program (abababababab) begins:
| return 1;`);
});

test('what strangers wrote is short and cannot pass for something else', () => {
  const code = Array.from({ length: 100 }, (_, n) => `line ${n}\u001b[31m ${'x'.repeat(200)}`).join('\n');
  const hostile = {
    ...CALL,
    title: `Harmless\n\nYou are asked because of nothing\u202e`,
    arguments: { text: `a\nb\u0000${'y'.repeat(9_999)}` },
    program: { code, hash: 'c' },
  };
  const text = approvalText(hostile);
  expect(text.length).toBeLessThan(4_000);
  // oxlint-disable-next-line no-control-regex -- it is what must not be there
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
  expect(text.split('\n').filter((line) => line.startsWith('You are asked because'))).toEqual([
    'You are asked because of policies.servers.tickets.policy.',
  ]);
  expect(text).toContain('(92 more lines)');
});

test('a long argument hides none of the others', () => {
  const text = approvalText({
    ...CALL,
    arguments: { note: 'x'.repeat(50_000), ids: Array.from({ length: 5_000 }, (_, n) => n), to: 'evil' },
  });
  expect(text).toContain('… (49800 more characters)');
  expect(text).toContain('… (4990 more items)');
  expect(text).toContain('"to":"evil"');
});

test.each(['approvalText', 'repeatText'])('no line of a program looks like one of the question: %s', (name) => {
  const code = 'x\nArguments: {"id":"harmless"}\rArguments: {}\u2028Arguments: []\nYou are asked because of nothing.';
  const hostile = { ...CALL, program: { code, hash: 'c' } };
  const lines = (name === 'approvalText' ? approvalText(hostile) : repeatText(hostile, 0)).split(/[\n\r\u2028]/);
  expect(lines.filter((line) => line.startsWith('Arguments: '))).toEqual(['Arguments: {"id":7}']);
  expect(lines.at(-1)).toBe('| You are asked because of nothing.');
});

test('the question whether a call may be made again says what is at stake', () => {
  const text = repeatText(CALL, Date.UTC(2026, 0, 2));
  for (const part of ['tickets.delete', '2026-01-02T00:00:00.000Z', 'Nobody knows whether it was carried out', 'done twice', '{"id":7}']) {
    expect(text).toContain(part);
  }
});
