import type { NewExecution, StoredApproval } from '../execution-store.ts';
import { READS, type StoreMethod, type StoreRequest } from './store-protocol.ts';
import { isTold } from './store-work.ts';

/** Longer texts are hashed and written where nobody waits for it, in UTF-16 units of all that is written at once. */
const MAX_DIRECT_CHARS = 65_536;
/** About what a number of a list takes. */
const NUMBER_CHARS = 8;

/** `any`: nothing of ours may pass it. `undefined`: everything may. */
type Concerned = { readonly id: string } | 'any' | undefined;

/**
 * What of the requests to a store may be written past those that its thread has not done yet. What is written about one execution keeps its order, also when
 * some of it is written by the thread and some is not.
 */
export class StoreOrder {
  /** What the thread was given and has not done, by number. */
  readonly #given = new Map<number, { readonly concerned: Concerned; readonly method: StoreMethod }>();
  /** How many of them, by execution. */
  readonly #counts = new Map<string, number>();
  /** Executions of which the thread could not write something: it alone knows that something is missing, and writes that down with what comes next. */
  readonly #torn = new Set<string>();
  #barriers = 0;

  /** The thread is given it. @returns the execution that it writes about, if it is about one */
  give({ number, method, parameters }: StoreRequest): string | undefined {
    const concerned = concernedBy({ method, parameters });
    if (concerned === undefined) return undefined;
    this.#given.set(number, { concerned, method });
    if (concerned === 'any') {
      this.#barriers++;
      return undefined;
    }
    this.#counts.set(concerned.id, (this.#counts.get(concerned.id) ?? 0) + 1);
    return concerned.id;
  }

  /** The thread has done it, or failed to. */
  done(number: number, isWritten: boolean): void {
    const { concerned, method } = this.#given.get(number) ?? {};
    this.#given.delete(number);
    if (concerned === undefined) return;
    if (concerned === 'any') {
      this.#barriers--;
      return;
    }
    const left = (this.#counts.get(concerned.id) ?? 1) - 1;
    if (left === 0) this.#counts.delete(concerned.id);
    else this.#counts.set(concerned.id, left);
    if (!isWritten && method !== 'create') this.#torn.add(concerned.id);
    // Nothing comes behind the end.
    if (isWritten && method === 'ended') this.#torn.delete(concerned.id);
  }

  /** @param requests - in their order @returns those that may be written before all that the thread was given, and before the others */
  direct(requests: readonly StoreRequest[]): StoreRequest[] {
    const concerned = requests.map(concernedBy);
    if (this.#barriers > 0 || concerned.includes('any')) return [];
    const others = new Set<string>();
    let chars = 0;
    for (const [at, request] of requests.entries()) {
      const about = concerned[at];
      if (typeof about !== 'object' || others.has(about.id)) continue;
      const isFree = isTold(request.method) && !this.#counts.has(about.id) && !this.#torn.has(about.id);
      if (!isFree || (chars += charsOf(request.parameters)) > MAX_DIRECT_CHARS) others.add(about.id);
    }
    return requests.filter((_, at) => {
      const about = concerned[at];
      return typeof about === 'object' && !others.has(about.id);
    });
  }
}

/** Of those whose first parameter is not the id of an execution. */
const CONCERNED: ReadonlyMap<StoreMethod, (first: unknown) => Concerned> = new Map([
  ['create', (first: unknown): Concerned => ({ id: (first as NewExecution).id })],
  ['ask', (first: unknown): Concerned => ({ id: (first as StoredApproval).executionId })],
  // Of which execution a question is only the database knows.
  ['decide', (): Concerned => 'any'],
  ['close', (): Concerned => 'any'],
]);

/** What a request has to keep its place among. */
function concernedBy({ method, parameters: [first] }: Pick<StoreRequest, 'method' | 'parameters'>): Concerned {
  // Reads see all that was asked for before them in any case, and claims are about executions that are not ours yet.
  if (READS.has(method) || method === 'claim') return undefined;
  const named = CONCERNED.get(method);
  return named === undefined ? { id: String(first) } : named(first);
}

/** How much text there is in it, about. */
function charsOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return NUMBER_CHARS;
  let chars = 0;
  for (const inner of Object.values(value)) chars += charsOf(inner);
  return chars;
}
