import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect } from 'vitest';
import { createApprovals } from '../../src/execution/approvals.ts';
import type { ApprovalAnswer, ApprovalQuestion, Approver } from '../../src/execution/approver.ts';
import type { ExecutionStore, StoredApproval } from '../../src/execution/execution-store.ts';
import { begin, openIds, openStores } from './asked-executions.ts';

export const YES: ApprovalAnswer = { granted: true };
export const NO: ApprovalAnswer = { granted: false, reason: 'refused' };
export const never = new AbortController().signal;

/** Of the file of tests that runs now. */
export let stores: Awaited<ReturnType<typeof openStores>>;

/** Opens `stores` for the tests of the file that calls it. */
export function withStores(): void {
  beforeAll(async () => {
    stores = await openStores();
  });
  afterAll(() => stores[Symbol.asyncDispose]());
}

/** Three executions of its own for a test: two of ann and one of ben. */
export interface Records {
  readonly ann: string;
  readonly anns: string;
  readonly ben: string;
}

export async function records(): Promise<Records> {
  const [ann, anns, ben] = [1, 2, 3].map(() => `exe_${randomUUID()}`) as [string, string, string];
  await Promise.all([begin(stores.gateway, ann, 'ann'), begin(stores.gateway, anns, 'ann'), begin(stores.gateway, ben, 'ben')]);
  return { ann, anns, ben };
}

export function question({ ann }: Records, more: Partial<ApprovalQuestion> = {}): ApprovalQuestion {
  return { executionId: ann, principal: 'ann', call: 1, server: 's', tool: 't', arguments: { id: 7 }, text: 'May it?', ...more };
}

/** A gateway: what it has asked its clients, and what was written into its journal. */
export function gateway(of: Records, { store = stores.gateway, ...options }: { store?: ExecutionStore; maxOpen?: number } = {}) {
  const approvals = createApprovals(store, options);
  const asking: number[] = [];
  const journal = { asking: (call: number) => (asking.push(call), Promise.resolve()) };
  const ask = (client?: Approver, more: Partial<ApprovalQuestion> = {}, signal = never): Promise<ApprovalAnswer> =>
    approvals.approver(client, journal).ask(question(of, more), signal);
  return { approvals, asking, ask };
}

/** The store with some of its methods replaced. */
export function changed(methods: Partial<ExecutionStore>): ExecutionStore {
  return new Proxy(stores.gateway, {
    get: (store, name: keyof ExecutionStore) => methods[name] ?? (store[name] as () => unknown).bind(store),
  });
}

/** A client whose user answers when the test does. */
export function person(): Approver & { readonly asked: ApprovalQuestion[]; withdrawn: number; answer(answer: ApprovalAnswer): void } {
  const asked: ApprovalQuestion[] = [];
  const said = Promise.withResolvers<ApprovalAnswer>();
  const client = {
    asked,
    withdrawn: 0,
    answer: said.resolve,
    ask: (one: ApprovalQuestion, signal: AbortSignal) => {
      asked.push(one);
      signal.addEventListener('abort', () => client.withdrawn++);
      return said.promise;
    },
  };
  return client;
}

export const open = (of: Records): Promise<string[]> => openIds(stores.command, of.ann, of.anns, of.ben);
export const untilOpen = (of: Records, count = 1): Promise<void> => expect.poll(() => open(of)).toHaveLength(count);
export const first = async (of: Records): Promise<string> => (await open(of))[0] ?? '';

/** The operator decides in another process. */
export async function operator(of: Records, granted: boolean, id?: string): Promise<StoredApproval | undefined> {
  await untilOpen(of);
  return stores.command.decide(id ?? (await first(of)), { granted, by: 'operator', at: Date.now() });
}
