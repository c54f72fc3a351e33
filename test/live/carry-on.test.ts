import { expect, test } from 'vitest';
import { CarryOn } from '../../src/live/carry-on.ts';
import { LiveExecutions } from '../../src/live/live-executions.ts';
import { writeRequest } from '../../src/live/execution-record.ts';
import type { SandboxStages } from '../../src/sandbox-stages.ts';
import { until } from '../execution/carried.ts';
import { newExecution, StoreFolder } from '../execution/stored-executions.ts';

test('what ends its server each time before it has begun is given up, and holds up nothing else', async () => {
  await using folder = new StoreFolder();
  const request = writeRequest({ code: 'return 1;' }, {});
  const before = folder.open();
  for (const id of ['poison', 'fresh']) await before.create(newExecution(id, { request }));
  for (let time = 0; time < 10; time++) await before.restarted('poison');
  await before.close();

  const store = folder.open();
  const live = new LiveExecutions({ maxWaitingRuns: 10, localPrincipal: 'local' });
  const stages = { executions: { store }, live } as unknown as SandboxStages;
  const begun: string[] = [];
  const log = { info: () => undefined, warn: () => undefined };
  const carryOn = new CarryOn({
    stages,
    log,
    carry: ({ executionId, createdAt }) => {
      begun.push(executionId);
      return live.begin({ executionId, createdAt, principal: 'local' }, () => new Promise(() => undefined));
    },
  });
  await until(async () => begun.length > 0 && (await store.glance('poison'))?.end !== undefined);
  expect(begun).toEqual(['fresh']);
  expect(await store.read('poison')).toMatchObject({ status: 'failed', end: { code: 'ERR_EXECUTE_LOST' } });
  expect((await store.read('poison'))?.end?.response).toContain('Nothing has run');
  expect((await store.read('fresh'))?.restarts).toBe(1);
  await carryOn.close();
});
