import { expect, test } from 'vitest';
import { StoreOrder } from '../../../src/execution/store/store-order.ts';
import type { StoreMethod, StoreRequest } from '../../../src/execution/store/store-protocol.ts';
import { COMPLETED, newExecution, sentCall, START } from '../stored-executions.ts';

let numbers = 0;
function request(method: StoreMethod, ...parameters: unknown[]): StoreRequest {
  return { number: ++numbers, method, parameters };
}

const create = (id: string): StoreRequest => request('create', newExecution(id));
const call = (id: string): StoreRequest => request('call', id, sentCall(1));

test('small writes are written at once, with all that came before them of the same execution', () => {
  const requests = [create('a'), request('start', 'a', START), call('a'), request('ended', 'a', COMPLETED)];
  expect(new StoreOrder().direct(requests)).toEqual(requests);
});

test('nothing passes what the thread has of the same execution, and all others do', () => {
  const order = new StoreOrder();
  const [first, second] = [create('a'), request('history', 'a', { steps: [], files: [] })];
  order.give(first);
  order.give(second);
  const [a, b] = [call('a'), call('b')];
  expect(order.direct([a, b])).toEqual([b]);
  order.done(first.number, true);
  expect(order.direct([a, b])).toEqual([b]);
  order.done(second.number, true);
  expect(order.direct([a, b])).toEqual([a, b]);
});

test.each([
  ['an image', request('hibernated', 'a', {}, new Uint8Array(1))],
  ['a restart', request('restarted', 'a')],
  ['a question', request('ask', { executionId: 'a' })],
  ['a cancel', request('requestCancel', 'a')],
])('%s is the thread’s, with all of its execution that stands before and behind it', (_, other) => {
  const b = call('b');
  expect(new StoreOrder().direct([create('a'), other, b, call('a')])).toEqual([b]);
  const order = new StoreOrder();
  order.give(other);
  expect(order.direct([call('a'), b])).toEqual([b]);
});

test('nothing at all passes a decision, because nobody knows what it is about, and reads and claims hold up nothing', () => {
  const order = new StoreOrder();
  const a = call('a');
  const decide = request('decide', 'apr_1', {});
  expect(order.direct([a, decide])).toEqual([]);
  order.give(decide);
  expect(order.direct([a])).toEqual([]);
  order.done(decide.number, true);
  const [read, claim] = [request('read', 'a'), request('claim')];
  order.give(read);
  order.give(claim);
  expect(order.direct([read, a, claim])).toEqual([a]);
});

test('of an execution of which something could not be written everything goes to the thread until its end is written', () => {
  const order = new StoreOrder();
  const [history, ended, again] = [request('history', 'a', {}), request('ended', 'a', COMPLETED), request('ended', 'a', COMPLETED)];
  order.give(history);
  order.done(history.number, false);
  expect(order.direct([call('a')])).toEqual([]);
  order.give(ended);
  order.done(ended.number, false);
  expect(order.direct([again])).toEqual([]);
  order.give(again);
  order.done(again.number, true);
  expect(order.direct([call('a')])).toHaveLength(1);
});

test('long texts go to the thread, with all of their execution', () => {
  const answer = (chars: number): StoreRequest => request('answered', 'a', sentCall(1), { ok: true, value: 'x'.repeat(chars) });
  const [b, before] = [call('b'), create('a')];
  expect(new StoreOrder().direct([before, answer(65_000), b])).toHaveLength(3);
  expect(new StoreOrder().direct([before, b, answer(65_600)])).toEqual([b]);
});
