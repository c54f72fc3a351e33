import type { ExecutionStore } from '../execution-store.ts';
import type { ExecutionTables } from './execution-tables.ts';
import type { ExecutionWrites } from './execution-writes.ts';
import type { StoreMethod } from './store-protocol.ts';

type WorkOf<M extends StoreMethod, On> = { readonly [N in M]: (on: On, ...parameters: Parameters<ExecutionStore[N]>) => unknown };

/** What tells how far a run is: writes about one execution that give nothing back. */
const TOLD = {
  create: (writes, execution) => writes.create(execution),
  start: (writes, id, start) => writes.start(id, start),
  history: (writes, id, history) => writes.history(id, history),
  call: (writes, id, call) => writes.call(id, call),
  answered: (writes, id, call, answer) => writes.answered(id, call, answer),
  status: (writes, id, status) => writes.status(id, status),
  ended: (writes, id, end) => writes.ended(id, end),
} satisfies WorkOf<ToldMethod, ExecutionWrites>;
export type ToldMethod = 'create' | 'start' | 'history' | 'call' | 'answered' | 'status' | 'ended';

const OTHERS = {
  hibernated: (tables, id, wait, image) => tables.writes.hibernated(id, wait, image),
  restarted: (tables, id) => tables.writes.restarted(id),
  claim: (tables) => tables.claims.claim(),
  ask: (tables, approval) => tables.approvals.ask(approval),
  decide: (tables, id, decision) => tables.approvals.decide(id, decision),
  requestCancel: (tables, id) => tables.requestCancel(id),
  read: (tables, id) => tables.reads.read(id),
  glance: (tables, id) => tables.reads.glance(id),
  waits: (tables, id) => tables.reads.waits(id),
  answer: (tables, id, call) => tables.reads.answer(id, call),
  image: (tables, id) => tables.reads.image(id),
  list: (tables, filter) => tables.reads.list(filter),
  approval: (tables, id) => tables.approvals.one(id),
  approvals: (tables, id) => tables.approvals.open(id),
  approvalsOf: (tables, id) => tables.approvals.of(id),
  close: (tables) => tables.close(),
} satisfies WorkOf<Exclude<StoreMethod, ToldMethod>, ExecutionTables>;

/** Whether it is a small write, about one execution. */
export function isTold(method: StoreMethod): method is ToldMethod {
  return Object.hasOwn(TOLD, method);
}

/** Does what a method of the store does. @throws Error as the method, and of the database */
export function doWork(tables: ExecutionTables, method: StoreMethod, parameters: readonly unknown[]): unknown {
  if (isTold(method)) return tell(tables.writes, method, parameters);
  const work: (on: ExecutionTables, ...parameters: never[]) => unknown = OTHERS[method];
  return work(tables, ...(parameters as never[]));
}

/** The same for what needs no more than the writes. */
export function tell(writes: ExecutionWrites, method: ToldMethod, parameters: readonly unknown[]): unknown {
  const work: (on: ExecutionWrites, ...parameters: never[]) => unknown = TOLD[method];
  return work(writes, ...(parameters as never[]));
}
