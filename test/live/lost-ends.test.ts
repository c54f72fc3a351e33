import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AuditEvent } from '../../src/audit/audit-event.ts';
import { openAuditStore } from '../../src/audit/audit-store.ts';
import type { ExecutionStore } from '../../src/execution/execution-store.ts';
import { writeRequest } from '../../src/live/execution-record.ts';
import { recordLostEnds } from '../../src/live/lost-ends.ts';
import type { SandboxStages } from '../../src/sandbox-stages.ts';
import { temporary } from '../e2e/harness.ts';
import { COMPLETED, newExecution, StoreFolder } from '../execution/stored-executions.ts';

const OPEN = new AbortController().signal;
const HOUR_MS = 3_600_000;

let folder: StoreFolder;
let place: Awaited<ReturnType<typeof temporary>>;
let store: ExecutionStore;
let now = Date.now() - HOUR_MS;

beforeAll(async () => {
  place = await temporary();
  folder = new StoreFolder();
  store = folder.open({ now: () => now });
  const request = writeRequest({ code: 'return 1;' }, {});
  const young = Array.from({ length: 1_100 }, (_, n) => `young ${n}`);
  await store.create(newExecution('slept', { request, createdAt: 1, principal: 'key:ann' }));
  await Promise.all(young.map((id) => store.create(newExecution(id, { request, createdAt: now }))));
  await Promise.all(young.map((id) => store.ended(id, COMPLETED)));
  now += 5;
  await store.ended('slept', COMPLETED);
});
afterAll(async () => {
  await folder[Symbol.asyncDispose]();
  await place[Symbol.asyncDispose]();
});

/** Looks as so many servers that are started at once, with lines of these times in the audit. */
async function look(name: string, times: readonly number[], servers = 1): Promise<AuditEvent[]> {
  const file = join(place.path, `${name}.db`);
  const audit = openAuditStore({ file, retentionMs: 1e12, maxBytes: 1e9 });
  audit.write(times.map((time) => ({ kind: 'run', execution: 'another', time })));
  const events: AuditEvent[] = [];
  const stages = { audit: { isOff: false, hash: () => 'hash', record: (event: AuditEvent) => void events.push(event) } };
  const log = { warn: () => expect.unreachable('nothing fails') };
  const one = { stages: stages as unknown as SandboxStages, store, file, signal: OPEN, log, patienceMs: 1 };
  await Promise.all(Array.from({ length: servers }, () => recordLostEnds(one)));
  audit.close();
  return events;
}

const toldOf = (events: readonly AuditEvent[]): unknown[] =>
  events.filter(({ execution }) => execution === 'slept').map((event) => event.principal);

test('the last to end are told, however long ago they began, and whatever this server has recorded since it was started', async () => {
  expect(toldOf(await look('busy', [now, Date.now() + HOUR_MS]))).toEqual(['key:ann']);
});

test('two servers that are started at once tell each end once', async () => {
  expect(toldOf(await look('two', [now], 2))).toEqual(['key:ann']);
});
