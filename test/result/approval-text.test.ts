import { expect, test } from 'vitest';
import { approvalText } from '../../src/result/approval-text.ts';

const CALL = {
  server: 'tickets',
  tool: 'delete',
  arguments: { id: 7 },
  rule: 'policies.servers.tickets.policy',
  program: { code: 'return 1;', hash: 'ab'.repeat(32) },
};

test('a question says what is called with what, why, and by which program', () => {
  expect(approvalText({ ...CALL, title: 'Delete a ticket' }))
    .toBe(`A program that an agent wrote wants to call the tool tickets.delete ("Delete a ticket", as it calls itself).
Arguments: {"id":7}
You are asked because of policies.servers.tickets.policy.
The program (abababababab) begins:
return 1;`);
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
