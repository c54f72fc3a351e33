import { expect, test } from 'vitest';
import { Mailbox } from '../../../src/execute/worker/mailbox.ts';
import { RunClock } from '../../../src/execute/worker/run-clock.ts';
import { RunWaits } from '../../../src/execute/worker/run-waits.ts';
import type { RunMessage } from '../../../src/execute/worker-protocol.ts';

const FAR = 1e15;

/** A run under these rules, and how it is asked to leave. */
function open(stayMs: number | undefined, afterMs: number): { readonly waits: RunWaits; readonly post: (message: RunMessage) => void } {
  let post: (message: RunMessage) => void = () => undefined;
  const port = { rest: () => undefined, resume: () => undefined, onMessage: (listener: typeof post) => (post = listener) };
  const mailbox = new Mailbox(port, () => 'now');
  const rules = { afterMs, maxImageBytes: 1, ...(stayMs !== undefined && { stayMs }) };
  const waits = new RunWaits(mailbox, new RunClock(0), { waitMs: FAR, rules, waitedMs: 0, isWoken: false });
  return { waits, post };
}

test.each([
  ['at every wait', 0, false],
  ['when it is asked', 1_000_000, true],
])('a run that would leave %s stays as long as it has to, and leaves then', async (_, afterMs, isAsked) => {
  const from = performance.now();
  const { waits, post } = open(60, afterMs);
  const left = waits.untilDue(isAsked ? null : FAR, isAsked);
  if (isAsked) post({ type: 'hibernate' });
  expect(await left).toBe('leave');
  expect(performance.now() - from).toBeGreaterThanOrEqual(59);
  const free = open(undefined, afterMs);
  if (isAsked) free.post({ type: 'hibernate' });
  expect(await free.waits.untilDue(isAsked ? null : FAR, isAsked)).toBe('leave');
});

test('an answer or a timer comes to a run that has to stay as to any other', async () => {
  const { waits, post } = open(3_600_000, 0);
  expect(await waits.untilDue(1, false)).toBe('due');
  const answered = waits.untilDue(null, true);
  post({ type: 'hibernate' });
  post({ type: 'answer', call: 1, ok: true, answer: '1' });
  expect(await answered).toBe('due');
});
