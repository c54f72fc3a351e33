import { expect, test } from 'vitest';
import { Mailbox, type Accepted } from '../../../src/execute/worker/mailbox.ts';
import type { AnswerMessage, RunMessage } from '../../../src/execute/worker-protocol.ts';

interface Opened {
  readonly mailbox: Mailbox;
  /** Hands a message in, as the run's port does. */
  readonly post: (message: RunMessage) => void;
  /** What the mailbox told the port, in order. */
  readonly told: string[];
}

function open(accept: (answer: AnswerMessage) => Accepted = () => 'now'): Opened {
  const told: string[] = [];
  let post: Opened['post'] = () => undefined;
  const port = {
    rest: () => told.push('rest'),
    resume: () => told.push('resume'),
    onMessage: (listener: Opened['post']) => (post = listener),
  };
  return { mailbox: new Mailbox(port, accept), post: (message) => post(message), told };
}

const answer = (call: number, text = `{"ok":${call}}`): AnswerMessage => ({ type: 'answer', call, ok: true, answer: text });
const elapsed = async (work: Promise<unknown>): Promise<number> => {
  const from = performance.now();
  await work;
  return performance.now() - from;
};

test('answers are handed out once, in the order in which they came', async () => {
  const { mailbox, post } = open();
  post(answer(2));
  post(answer(1));
  await mailbox.wait(5_000);
  expect(mailbox.hasAnswers).toBe(true);
  const { calls, answers } = mailbox.take();
  expect([[...calls], answers]).toEqual([
    [2, 1],
    ['{"ok":2}', '{"ok":1}'],
  ]);
  expect(mailbox.hasAnswers).toBe(false);
  expect(mailbox.take()).toEqual({ calls: new Uint32Array(), answers: [] });
});

test('an answer ends the wait at once', async () => {
  const { mailbox, post } = open();
  setTimeout(() => post(answer(1)), 10);
  expect(await elapsed(mailbox.wait(5_000))).toBeLessThan(1_000);
});

test('answers that come together reach the run together', async () => {
  const { mailbox, post } = open();
  const woken = mailbox.wait(5_000).then(() => [...mailbox.take().calls]);
  setImmediate(() => [1, 2, 3].forEach((call) => post(answer(call))));
  expect(await woken).toEqual([1, 2, 3]);
});

test('an answer that is already there needs no wait', async () => {
  const { mailbox, post } = open();
  post(answer(1));
  expect(await elapsed(mailbox.wait(5_000))).toBeLessThan(100);
});

test('an answer to a call that is not running is dropped', async () => {
  const { mailbox, post } = open(({ call }) => (call === 7 ? 'never' : 'now'));
  post(answer(7));
  await mailbox.wait(20);
  expect(mailbox.hasAnswers).toBe(false);
});

test('a cancel ends the wait, and every later one', async () => {
  const { mailbox, post } = open();
  const waiting = mailbox.wait(5_000);
  post({ type: 'cancel' });
  await expect(waiting).rejects.toMatchObject({ code: 'ERR_EXECUTE_CANCELLED' });
  await expect(mailbox.wait(5_000)).rejects.toMatchObject({ code: 'ERR_EXECUTE_CANCELLED' });
});

test('a cancel is heard even where an answer came with it', async () => {
  const { mailbox, post } = open();
  post(answer(1));
  post({ type: 'cancel' });
  await expect(mailbox.wait(5_000).then(() => mailbox.wait(5_000))).rejects.toMatchObject({ code: 'ERR_EXECUTE_CANCELLED' });
});

test('the port hears that the step is over before the wait, and that the next one begins after it', async () => {
  const { mailbox, post, told } = open();
  const waiting = mailbox.wait(5_000);
  expect(told).toEqual(['rest']);
  post(answer(1));
  await waiting;
  expect(told).toEqual(['rest', 'resume']);
});

test.each([0, -1, -1e9])('a wait of %d ms gives the event loop a turn and comes back', async (ms) => {
  const { mailbox } = open();
  let turned = false;
  setImmediate(() => (turned = true));
  await mailbox.wait(ms);
  expect(turned).toBe(true);
});

test('answers that come before their step wait until they are offered again, each once', async () => {
  let step = [2];
  const { mailbox, post } = open(({ call }) => (step.includes(call) ? 'now' : 'later'));
  for (const call of [1, 3, 3, 2]) post(answer(call));
  expect([...mailbox.take().calls]).toEqual([2]);
  step = [3, 1];
  mailbox.offerEarly();
  expect(mailbox.count).toBe(2);
  expect([...mailbox.take([3, 1]).calls]).toEqual([3, 1]);
  mailbox.offerEarly();
  expect(mailbox.hasAnswers).toBe(false);
});

test('bytes of large answers count until they are taken, also of those that came early', () => {
  let accepted: Accepted = 'later';
  const { mailbox, post } = open(() => accepted);
  post({ type: 'answer', call: 1, ok: true, answer: new Uint8Array(100) });
  expect(mailbox.largeBytes).toBe(100);
  accepted = 'now';
  mailbox.offerEarly();
  post({ type: 'answer', call: 2, ok: true, answer: new Uint8Array(50) });
  expect(mailbox.largeBytes).toBe(150);
  mailbox.take();
  expect(mailbox.largeBytes).toBe(0);
});

test('a run that was asked to leave stays asked until it is given something', async () => {
  const { mailbox, post } = open();
  const waiting = mailbox.wait(60_000);
  post({ type: 'hibernate' });
  await waiting;
  expect([mailbox.isAskedToLeave, mailbox.hasAnswers]).toEqual([true, false]);
  mailbox.take();
  expect(mailbox.isAskedToLeave).toBe(false);
});

test('a wait that is longer than a timer of Node can be does not end at once', async () => {
  const { mailbox, post } = open();
  let isOver = false;
  const waiting = mailbox.wait(2_592_000_000).then(() => (isOver = true));
  await new Promise((resolve) => void setTimeout(resolve, 20));
  expect(isOver).toBe(false);
  post(answer(1));
  await waiting;
});
