import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Principal } from '../access/principal.ts';
import { SandboxError } from '../errors.ts';
import type { ApprovalAnswer, ApprovalQuestion, Approver } from '../policy/approval.ts';
import type { ExecuteResponse, ProgressEvent } from './sandbox-port.ts';

/** Runs that wait for a person while no request of theirs is open. Each holds its memory. */
const MAX_PARKED = 256;
/** So many times as many may be there with those that have an answer to be fetched: they hold that answer alone. */
const KEPT_FACTOR = 4;
/** Bytes of randomness in the name of a parked run: it cannot be guessed. */
const STATE_BYTES = 24;
/** Requests in a row that a run may end with questions: clients give up after so many, and would never hear what the run has done. */
const MAX_ROUNDS = 10;
/** Questions that come together are asked together. */
const GATHER_MS = 10;
/** A run that has ended while nobody was there can still be asked for this long, in milliseconds. */
const KEEP_ENDED_MS = 60_000;

/** The request that a run has at the moment. */
export interface Attached {
  /** Fires when the client goes: then the run ends. */
  readonly signal: AbortSignal;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
  /** Who came with it: what is begun in this name ends when the key or token is taken back. */
  readonly owner?: Principal | undefined;
}

/** What a run is started with. */
export interface ParkedCaller {
  readonly signal: AbortSignal;
  readonly approver: Approver;
  readonly onProgress: (event: ProgressEvent) => void;
}

/** How far a run is: through, or waiting for answers that the next request brings along with `state`. */
export type Step =
  | { readonly response: ExecuteResponse }
  | { readonly state: string; readonly questions: ReadonlyMap<string, ApprovalQuestion> };

interface Open {
  readonly question: ApprovalQuestion;
  /** The client has got it. */
  isShown: boolean;
  answer(answer: ApprovalAnswer): void;
}

interface Parked {
  readonly run: ParkedRun;
  readonly principal: string;
  /** Whether it waits for a person. If not, it goes on or has ended, and its answer is still to be fetched. */
  waits: boolean;
}

/** Runs that go on over several requests, because a person has to be asked in between. */
export class ParkedRuns {
  /** By state, the one that was parked longest ago first. */
  readonly #parked = new Map<string, Parked>();
  readonly #maxParked: number;

  constructor(maxParked = MAX_PARKED) {
    this.#maxParked = maxParked;
  }

  get size(): number {
    return this.#parked.size;
  }

  /** @throws SandboxError ERR_CALL_APPROVAL when no run waits under this state */
  demand(state: string): void {
    if (!this.#parked.has(state)) throw unknownState();
  }

  /** Starts a run; comes back when it is through or asks something. */
  start(principal: string, attached: Attached, begin: (caller: ParkedCaller) => Promise<ExecuteResponse>): Promise<Step> {
    return this.#next(new ParkedRun(begin, attached.owner), principal, attached);
  }

  /** Ends runs that were begun in the name of some principals. Those that have a request are ended with it. */
  cancelOf(isOver: (principal: Principal) => boolean): void {
    for (const { run } of this.#parked.values()) if (run.owner !== undefined && isOver(run.owner)) run.cancel();
  }

  /**
   * Goes on with a run. Each state can be used once.
   * @throws SandboxError ERR_CALL_APPROVAL when there is no such run of this principal
   */
  resume(principal: string, state: string, answers: ReadonlyMap<string, ApprovalAnswer>, attached: Attached): Promise<Step> {
    const found = this.#parked.get(state);
    if (found === undefined || found.principal !== principal) throw unknownState();
    this.#parked.delete(state);
    found.run.answer(answers);
    return this.#next(found.run, principal, attached);
  }

  async #next(run: ParkedRun, principal: string, attached: Attached): Promise<Step> {
    for (;;) {
      const questions = await run.untilAsking(attached);
      if (questions === undefined) return { response: await run.ended };
      const isOften = run.rounds >= MAX_ROUNDS;
      if (!isOften && this.#hasRoom(principal)) return { state: this.#park(run, principal), questions };
      run.answerAll({ granted: false, reason: isOften ? 'often' : 'busy' });
    }
  }

  /**
   * Whoever has most runs waiting makes room for another: its oldest one goes on without an answer. Whoever has most answers lying loses its
   * oldest one. So nobody can keep all others from being asked.
   */
  #hasRoom(principal: string): boolean {
    if (this.#parked.size < this.#maxParked) return true;
    const entries = [...this.#parked];
    const waiting = entries.filter(([, { waits }]) => waits);
    if (entries.length >= this.#maxParked * KEPT_FACTOR) {
      const [lying] =
        oldestOfMost(
          entries.filter(([, { waits }]) => !waits),
          principal,
        ) ?? [];
      if (lying === undefined) return false;
      this.#parked.delete(lying);
    }
    if (waiting.length < this.#maxParked) return true;
    const [, oldest] = oldestOfMost(waiting, principal) ?? [];
    if (oldest === undefined) return false;
    oldest.waits = false;
    oldest.run.goOn({ granted: false, reason: 'busy' });
    return true;
  }

  #park(run: ParkedRun, principal: string): string {
    run.rounds++;
    const state = `apr_${randomBytes(STATE_BYTES).toString('base64url')}`;
    const parked: Parked = { run, principal, waits: true };
    this.#parked.set(state, parked);
    const forget = async (): Promise<void> => {
      parked.waits = false;
      await delay(KEEP_ENDED_MS, undefined, { ref: false });
      this.#parked.delete(state);
    };
    run.ended.then(forget, forget);
    return state;
  }
}

/** The oldest entry of who has most of them; undefined when that is not more than `principal` would have with one more. */
function oldestOfMost(entries: readonly [string, Parked][], principal: string): [string, Parked] | undefined {
  const counts = new Map<string, number>();
  for (const [, { principal: owner }] of entries) counts.set(owner, (counts.get(owner) ?? 0) + 1);
  const most = Math.max(...counts.values());
  if (most <= (counts.get(principal) ?? 0) + 1) return undefined;
  return entries.find(([, { principal: owner }]) => counts.get(owner) === most);
}

/** One run that may ask. */
class ParkedRun {
  readonly ended: Promise<ExecuteResponse>;
  readonly owner: Principal | undefined;
  /** How often it was parked. */
  rounds = 0;
  readonly #cancel = new AbortController();
  readonly #open = new Map<string, Open>();
  #attached: Attached | undefined;
  #always: ApprovalAnswer | undefined;
  #wake = Promise.withResolvers<void>();
  #questions = 0;

  constructor(begin: (caller: ParkedCaller) => Promise<ExecuteResponse>, owner: Principal | undefined) {
    this.owner = owner;
    const approver: Approver = { ask: (question, signal) => this.#ask(question, signal) };
    const onProgress = (event: ProgressEvent): void => this.#attached?.onProgress?.(event);
    this.ended = begin({ signal: this.#cancel.signal, approver, onProgress });
    this.ended.catch(() => undefined);
  }

  cancel(): void {
    this.#cancel.abort();
  }

  /** The questions that are open, as soon as there are some; undefined when the run has ended. While it waits here the client may end it. */
  async untilAsking(attached: Attached): Promise<ReadonlyMap<string, ApprovalQuestion> | undefined> {
    const gone = (): void => this.#cancel.abort(attached.signal.reason);
    attached.signal.addEventListener('abort', gone, { once: true });
    if (attached.signal.aborted) gone();
    this.#attached = attached;
    this.#always = undefined;
    try {
      const end = this.ended.then(() => true);
      while (!(await Promise.race([end, this.#wake.promise.then(() => false)]))) {
        if (await Promise.race([end, delay(GATHER_MS, false)])) break;
        if (this.#open.size > 0) return this.#show();
        // What was asked is not of interest any more.
        this.#wake = Promise.withResolvers();
      }
      return undefined;
    } finally {
      this.#attached = undefined;
      attached.signal.removeEventListener('abort', gone);
    }
  }

  /** What was shown and has no answer counts as not answered. What came up since then waits for its turn: nobody can have answered it. */
  answer(answers: ReadonlyMap<string, ApprovalAnswer>): void {
    this.#settle((id) => answers.get(id) ?? { granted: false, reason: 'dismissed' });
  }

  /** The same answer to everything, until a request comes for the run again. */
  goOn(answer: ApprovalAnswer): void {
    this.#always = answer;
    for (const open of this.#open.values()) open.isShown = true;
    this.answerAll(answer);
  }

  /** The same answer to everything that was shown. */
  answerAll(answer: ApprovalAnswer): void {
    this.#settle(() => answer);
  }

  #show(): ReadonlyMap<string, ApprovalQuestion> {
    const questions = new Map<string, ApprovalQuestion>();
    for (const [id, open] of this.#open) {
      open.isShown = true;
      questions.set(id, open.question);
    }
    return questions;
  }

  #settle(answerTo: (id: string) => ApprovalAnswer): void {
    for (const [id, open] of this.#open) {
      if (!open.isShown) continue;
      this.#open.delete(id);
      open.answer(answerTo(id));
    }
    this.#wake = Promise.withResolvers();
    if (this.#open.size > 0) this.#wake.resolve();
  }

  #ask(question: ApprovalQuestion, signal: AbortSignal): Promise<ApprovalAnswer> {
    if (this.#always !== undefined) return Promise.resolve(this.#always);
    const id = `call_${++this.#questions}`;
    const { promise, resolve } = Promise.withResolvers<ApprovalAnswer>();
    this.#open.set(id, { question, isShown: false, answer: resolve });
    // The run has ended without the answer.
    signal.addEventListener('abort', () => this.#open.delete(id) && resolve({ granted: false, reason: 'dismissed' }), { once: true });
    this.#wake.resolve();
    return promise;
  }
}

function unknownState(): SandboxError {
  const hint = 'Send the call again, without the answer.';
  return new SandboxError('ERR_CALL_APPROVAL', 'The run that this answer is for is over, or never was.', { hint });
}
