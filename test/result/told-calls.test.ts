import { expect, test } from 'vitest';
import type { CallRecord } from '../../src/execute/run.ts';
import { executeOutputSchema } from '../../src/result/output-schema.ts';
import { presentValue, textOf } from './outcome-fixture.ts';

function made(count: number, more: Partial<CallRecord> = {}): CallRecord[] {
  return Array.from({ length: count }, () => ({ server: 's', tool: 't', ok: true, ms: 0.5, ...more }));
}

test('calls are told one by one up to a hundred, and summed up from the next on', async () => {
  const single = await presentValue(1, { calls: made(100) });
  expect(single.structured.calls).toEqual(made(100));
  const failed = made(20, { ok: false, code: 'ERR_CALL_TOOL' });
  const summed = await presentValue(1, { calls: [...made(79), ...failed, ...made(1, { tool: 'u' }), ...made(1)] }, { form: 'text' });
  expect(summed.structured.calls).toEqual([
    { server: 's', tool: 't', ok: true, ms: 40, times: 80 },
    { server: 's', tool: 't', ok: false, ms: 10, code: 'ERR_CALL_TOOL', times: 20 },
    { server: 's', tool: 'u', ok: true, ms: 0.5 },
  ]);
  expect(executeOutputSchema.parse(summed.structured)).toEqual(summed.structured);
  expect(textOf(summed)).toContain('failed tool calls:\n  s.t ERR_CALL_TOOL (20 times)');
});

test('calls of a thousand names are a bounded list', async () => {
  const calls = Array.from({ length: 1_000 }, (_, index) => made(1, { tool: `t${index}` })).flat();
  expect((await presentValue(1, { calls })).structured.calls).toEqual(calls.slice(0, 200));
});
