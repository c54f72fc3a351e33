import { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { AuditEvent } from '../../src/audit/audit-event.ts';
import type { Audit } from '../../src/audit/audit.ts';
import { CarryOn } from '../../src/live/carry-on.ts';
import type { LiveExecution } from '../../src/live/live-execution.ts';
import { LiveExecutions } from '../../src/live/live-executions.ts';
import { writeRequest } from '../../src/live/execution-record.ts';
import type { ExecutionStore } from '../../src/execution/execution-store.ts';
import type { Call } from '../../src/run/run-parts.ts';
import type { SandboxStages } from '../../src/sandbox-stages.ts';
import { abortable } from '../../src/upstream/abortable.ts';
import { until } from '../execution/carried.ts';
import { newExecution, sentCall, START, StoreFolder } from '../execution/stored-executions.ts';

const CONNECTED = { settled: () => Promise.resolve() };

test('what ends its server each time before it has begun is given up, and holds up nothing else', async () => {
  await using folder = new StoreFolder();
  const request = writeRequest({ code: 'return 1;' }, {});
  const before = folder.open();
  for (const id of ['poison', 'fresh']) await before.create(newExecution(id, { request }));
  for (let time = 0; time < 10; time++) await before.restarted('poison');
  await before.close();

  const store = folder.open();
  const live = new LiveExecutions({ maxWaitingRuns: 10, localPrincipal: 'local' });
  const audited: AuditEvent[] = [];
  const stages = { executions: { store }, live, audit: auditInto(audited), upstreams: CONNECTED } as unknown as SandboxStages;
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
  expect(audited).toEqual([
    {
      kind: 'run',
      principal: 'local',
      execution: 'poison',
      program: 'hash of return 1;',
      code: 'ERR_EXECUTE_LOST',
      ms: expect.any(Number),
      fuel: 0,
      calls: 0,
    },
  ]);
  await carryOn.close();
});

test('what cannot be read ends, and the audit says whose it was', async () => {
  await using folder = new StoreFolder();
  const before = folder.open();
  await before.create(newExecution('damaged', { principal: 'key:ann' }));
  await before.close();
  const db = new DatabaseSync(folder.file);
  db.exec("UPDATE parts SET content = x'00'");
  db.close();

  const store = folder.open();
  const live = new LiveExecutions({ maxWaitingRuns: 10, localPrincipal: 'local' });
  const audited: AuditEvent[] = [];
  const stages = { executions: { store }, live, audit: auditInto(audited), upstreams: CONNECTED } as unknown as SandboxStages;
  const log = { info: () => undefined, warn: () => undefined };
  const carryOn = new CarryOn({ stages, log, carry: () => expect.unreachable('it cannot be begun') });
  await until(() => audited.length > 0);
  expect(audited).toMatchObject([{ kind: 'run', principal: 'key:ann', execution: 'damaged', code: 'ERR_EXECUTION_DAMAGED' }]);
  expect(await store.list({ status: ['failed'] })).toMatchObject([{ id: 'damaged', code: 'ERR_EXECUTION_DAMAGED' }]);
  await carryOn.close();
});

test('a run waits for tool servers that still connect as far as it has called them, one that has not begun for all, and a server that ends for none', async () => {
  await using folder = new StoreFolder();
  const before = folder.open();
  const request = writeRequest({ code: 'return 1;' }, {});
  for (const id of ['new', 'plain', 'calling']) await before.create(newExecution(id, { request }));
  for (const id of ['plain', 'calling']) await before.start(id, START);
  await before.call('calling', sentCall(1, { server: 'slow' }));
  await before.close();

  const live = new LiveExecutions({ maxWaitingRuns: 10, localPrincipal: 'local' });
  const begun: string[] = [];
  const carry = ({ executionId, createdAt }: Call): LiveExecution => {
    begun.push(executionId);
    return live.begin({ executionId, createdAt, principal: 'local' }, () => new Promise(() => undefined));
  };
  const log = { info: () => undefined, warn: () => expect.unreachable('nothing fails') };
  const slow = Promise.withResolvers<void>();
  const settled = (signal: AbortSignal, names = new Set(['slow'])): Promise<void> =>
    names.has('slow') ? abortable(slow.promise, signal) : Promise.resolve();
  const open = (store: ExecutionStore): CarryOn => {
    const stages = { executions: { store }, live, upstreams: { settled } } as unknown as SandboxStages;
    return new CarryOn({ stages, log, carry, lookMs: 1 });
  };
  const first = folder.open();
  const early = open(first);
  await until(() => begun.length > 0);
  for (let turn = 0; turn < 5; turn++) await first.read('plain');
  await early.close();
  await first.close();
  expect(begun).toEqual(['plain']);

  const late = open(folder.open());
  slow.resolve();
  await until(() => begun.length === 3);
  expect(begun.slice(1).toSorted()).toEqual(['calling', 'new']);
  await late.close();
});

function auditInto(events: AuditEvent[]): Pick<Audit, 'isOff' | 'hash' | 'record'> {
  return { isOff: false, hash: (text) => `hash of ${text}`, record: (event) => void events.push(event) };
}

test('records that are long are not all read at once', async () => {
  const value = 'x'.repeat(60 * 1024 * 1024);
  const request = writeRequest({ code: 'return 1;' }, {});
  const ids = Array.from({ length: 12 }, (_, n) => `long${n}`);
  const claims = [ids];
  let [reading, most] = [0, 0];
  const read: ExecutionStore['read'] = async (id) => {
    most = Math.max(most, ++reading);
    await nextTurn();
    reading--;
    const calls = [{ ...sentCall(1), stage: 'answered' as const, answer: { ok: true as const, value } }];
    const rest = { status: 'running' as const, isComplete: true, canWake: false, isCancelRequested: false, hibernations: 0, restarts: 0 };
    return { ...newExecution(id, { request }), start: START, calls, history: { steps: [], files: [] }, events: [], ...rest };
  };
  const store = { claim: () => Promise.resolve(claims.shift() ?? []), read } as unknown as ExecutionStore;
  const live = new LiveExecutions({ maxWaitingRuns: 100, localPrincipal: 'local' });
  const stages = { executions: { store }, live, upstreams: CONNECTED } as unknown as SandboxStages;
  const begun: LiveExecution[] = [];
  const carryOn = new CarryOn({
    stages,
    log: { info: () => undefined, warn: () => undefined },
    carry: ({ executionId, createdAt }) => {
      const execution = live.begin({ executionId, createdAt, principal: 'local' }, () => new Promise(() => undefined));
      begun.push(execution);
      return execution;
    },
    lookMs: 5,
  });
  await until(() => begun.length >= 4);
  for (let turn = 0; turn < 50; turn++) await nextTurn();
  expect(begun.length).toBeLessThan(9);
  expect(most).toBe(4);
  await until(() => {
    for (const execution of begun) execution.waits([{ kind: 'timer', at: 5 }]);
    return begun.length === ids.length;
  });
  await carryOn.close();
});
