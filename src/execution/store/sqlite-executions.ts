import { Worker } from 'node:worker_threads';
import { SandboxError } from '../../errors.ts';
import type { ToolAnswer } from '../../execute/run.ts';
import { openingError, storeError } from '../execution-errors.ts';
import type { ExecutionGlance, ExecutionStore, StoredApproval, StoredCall } from '../execution-store.ts';
import { openExecutionsDatabase, type TablesOptions } from './execution-tables.ts';
import { DirectWrites } from './direct-writes.ts';
import { ImageCopy } from '../image-copy.ts';
import { READS, type StoreBatch, type StoreMethod, type StoreNews, type StoreReply, type StoreRequest } from './store-protocol.ts';
import { UnwrittenEnds } from './unwritten-ends.ts';

export interface ExecutionStoreOptions extends TablesOptions {
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Told once whenever writing begins to fail: what nobody waits for would be lost without a word. */
  readonly log?: { warn(fields: object, message: string): void } | undefined;
}

/**
 * A transaction costs more than a write in it: what tells how far a run is waits so long for more of it, unless something comes that is waited for. What
 * is lost when this process is killed meanwhile is done again, as far as it may be.
 */
const PATIENCE_MS = 2;
const PATIENT: ReadonlySet<StoreMethod> = new Set(['create', 'start', 'history', 'answered', 'status', 'ended']);

/** What comes by is written and forgotten: a large nursery would only be resident. */
const YOUNG_MB = 8;
const ENTRY = new URL(import.meta.url.endsWith('.ts') ? './store-worker.ts' : './store-worker.js', import.meta.url);

/**
 * Opens the embedded store of executions. What one turn of the event loop asks for is one transaction: of small writes here, if nobody else writes, because
 * that costs less than a thread's answer; of all else in a thread, so that no disk, no lock and no long text holds up the loop. Several processes may share
 * the file.
 * @throws SandboxError ERR_EXECUTION_STORE when the file is none of ours, is of a newer version or cannot be used
 */
export function openExecutions(options: ExecutionStoreOptions): ExecutionStore {
  const { file, group, limits } = options;
  const { executionTtlMs, maxStoredBytes, maxRecordBytes } = limits;
  try {
    // Here, so that whoever opens it hears what is wrong with it.
    if (file !== undefined) openExecutionsDatabase(file).close();
  } catch (cause) {
    throw openingError(file, cause);
  }
  return new ThreadedExecutions(options, { file, group, limits: { executionTtlMs, maxStoredBytes, maxRecordBytes } });
}

interface Asked {
  /** Whether what becomes of it says anything about writing. */
  readonly isWrite: boolean;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

class ThreadedExecutions implements ExecutionStore {
  readonly isDurable: boolean;
  readonly #options: ExecutionStoreOptions;
  readonly #worker: Worker;
  readonly #direct: DirectWrites;
  readonly #asked = new Map<number, Asked>();
  readonly #decisionListeners = new Set<(approval: StoredApproval) => void>();
  readonly #cancelListeners = new Set<(executionId: string) => void>();
  readonly #ends = new UnwrittenEnds((id, end) => this.#ask('ended', [id, end]));
  #requests: StoreRequest[] = [];
  #numbers = 0;
  #patience: NodeJS.Timeout | undefined;
  #isHurrying = false;
  #isFailing = false;
  #ended: SandboxError | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: ExecutionStoreOptions, thread: TablesOptions) {
    this.#options = options;
    this.isDurable = thread.file !== undefined;
    this.#direct = new DirectWrites(thread, () => this.#postBatch([], []));
    this.#worker = new Worker(ENTRY, {
      workerData: thread,
      env: {},
      name: 'executions',
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    this.#worker.on('message', (news: StoreNews) => this.#hear(news));
    this.#worker.on('error', (error) => this.#end(error));
    this.#worker.on('exit', () => this.#end(new Error('the thread of the store has ended')));
    this.#worker.unref();
  }

  admit(principal: string): void {
    const refusal = this.#direct.refuseBegin(principal);
    if (refusal) throw refusal;
  }

  create: ExecutionStore['create'] = (execution) => this.#ask('create', [execution]);
  start: ExecutionStore['start'] = (id, start) => this.#ask('start', [id, start]);
  history: ExecutionStore['history'] = (id, history) => this.#tell('history', [id, history]);
  call: ExecutionStore['call'] = (id, { answer: _answer, ...call }) => this.#ask('call', [id, call]);
  answered: ExecutionStore['answered'] = (id, { number, server, tool, arguments: given, answeredAt }, answer) =>
    this.#ask('answered', [id, { number, server, tool, arguments: given, answeredAt }, plainAnswer(answer)]);
  hibernated: ExecutionStore['hibernated'] = (id, wait, image) => this.#ask('hibernated', [id, wait, new ImageCopy(image)]);
  status: ExecutionStore['status'] = (id, status) => this.#tell('status', [id, status]);
  restarted: ExecutionStore['restarted'] = (id) => this.#ask('restarted', [id]);
  ended: ExecutionStore['ended'] = (id, end, whose) => this.#ends.add(id, { end, endedAt: (this.#options.now ?? Date.now)(), whose });
  read: ExecutionStore['read'] = (id) => this.#ask('read', [id]);
  glance: ExecutionStore['glance'] = async (id) => {
    const found = await this.#ask<ExecutionGlance | undefined>('glance', [id]);
    const unwritten = this.#ends.find(id);
    return found && !found.end && unwritten ? { ...found, ...unwritten, status: unwritten.end.status } : found;
  };
  waits: ExecutionStore['waits'] = (id) => this.#ask('waits', [id]);
  answer: ExecutionStore['answer'] = (id, call) => this.#ask('answer', [id, call]);
  image: ExecutionStore['image'] = (id) => this.#ask('image', [id]);
  list: ExecutionStore['list'] = (filter) => this.#ask('list', [filter]);
  claim: ExecutionStore['claim'] = () => this.#ask('claim', []);
  ask: ExecutionStore['ask'] = (approval) => this.#ask('ask', [approval]);
  decide: ExecutionStore['decide'] = (id, decision) => this.#ask('decide', [id, decision]);
  approval: ExecutionStore['approval'] = (id) => this.#ask('approval', [id]);
  approvals: ExecutionStore['approvals'] = (executionId) => this.#ask('approvals', [executionId]);
  approvalsOf: ExecutionStore['approvalsOf'] = (executionId) => this.#ask('approvalsOf', [executionId]);
  requestCancel: ExecutionStore['requestCancel'] = (id) => this.#ask('requestCancel', [id]);

  onDecision(listener: (approval: StoredApproval) => void): () => void {
    this.#decisionListeners.add(listener);
    return () => void this.#decisionListeners.delete(listener);
  }

  onCancelRequest(listener: (executionId: string) => void): () => void {
    this.#cancelListeners.add(listener);
    return () => void this.#cancelListeners.delete(listener);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#direct.close();
    try {
      await this.#ends.close();
      await this.#ask<undefined>('close', []);
    } finally {
      this.#end(new Error('the store is closed'));
      await this.#worker.terminate();
    }
  }

  #ask<T>(method: StoreMethod, parameters: readonly unknown[]): Promise<T> {
    if (this.#ended) return Promise.reject(this.#ended);
    return new Promise<T>((resolve, reject) => {
      const number = ++this.#numbers;
      // Whoever waits for an answer keeps the process; a store that is only open does not.
      if (this.#asked.size === 0) this.#worker.ref();
      this.#asked.set(number, { isWrite: !READS.has(method) && method !== 'claim', resolve: (value) => resolve(value as T), reject });
      this.#send({ number, method, parameters });
    });
  }

  #tell(method: StoreMethod, parameters: readonly unknown[]): void {
    if (this.#ended === undefined) this.#send({ number: ++this.#numbers, method, parameters });
  }

  #send(request: StoreRequest): void {
    this.#requests.push(request);
    if (!isPatient(request)) this.hurry();
    else if (!this.#isHurrying) this.#patience ??= setTimeout(() => this.hurry(), PATIENCE_MS);
  }

  /** What waits for more of it is sent with this turn of the event loop. */
  hurry(): void {
    if (this.#isHurrying || this.#requests.length === 0) return;
    this.#isHurrying = true;
    clearTimeout(this.#patience);
    this.#patience = undefined;
    setImmediate(() => this.#flush());
  }

  #writeDirectly(): void {
    const written = this.#direct.write(this.#requests, this.#now());
    if (written.size === 0) return;
    this.#requests = this.#requests.filter((request) => !written.has(request));
    this.#settleAll([...written].map(([{ number }, value]) => ({ number, ok: true, value })));
  }

  /** A large image is copied a piece at a time, and all that comes behind it waits, so that it stays in order. */
  #flush(): void {
    try {
      this.#writeDirectly();
      this.#post();
    } catch (cause) {
      // What cannot be sent to a thread, or an image that somebody has taken away: whoever asked is told, and nobody else is held up.
      this.#isHurrying = false;
      const error = storeError(cause);
      const failed = { ok: false, error: { code: error.code, message: error.message } } as const;
      for (const { number } of this.#requests.splice(0)) this.#settle({ number, ...failed });
    }
  }

  #post(): void {
    const images = this.#requests.flatMap(({ parameters: [, , image] }) => (image instanceof ImageCopy ? [image] : []));
    if (this.#ended !== undefined) return;
    if (images.some((image) => !image.step())) {
      setImmediate(() => this.#flush());
      return;
    }
    this.#isHurrying = false;
    if (this.#requests.length === 0) return;
    const requests = this.#requests.map(withImage);
    this.#postBatch(
      requests,
      images.map(({ bytes }) => bytes.buffer),
    );
    this.#direct.give(requests);
    this.#requests = [];
  }

  #postBatch(requests: readonly StoreRequest[], buffers: ArrayBuffer[]): void {
    const batch: StoreBatch = { now: this.#now(), requests, direct: this.#direct.takeUnnoted() };
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    this.#worker.postMessage(batch, buffers);
  }

  /** Milliseconds since 1970. */
  #now(): number {
    return (this.#options.now ?? Date.now)();
  }

  #hear({ replies, decisions, cancels, owner }: StoreNews): void {
    if (owner !== undefined && this.#ended === undefined && this.#closing === undefined) this.#direct.open(owner);
    for (const { number, ok } of replies) this.#direct.done(number, ok);
    this.#settleAll(replies);
    for (const approval of decisions) for (const listener of this.#decisionListeners) listener(approval);
    for (const id of cancels) for (const listener of this.#cancelListeners) listener(id);
  }

  #settleAll(replies: readonly StoreReply[]): void {
    for (const reply of replies) this.#settle(reply);
    if (this.#asked.size === 0) this.#worker.unref();
  }

  #settle(reply: StoreReply): void {
    const asked = this.#asked.get(reply.number);
    this.#asked.delete(reply.number);
    if (reply.ok) {
      if (asked?.isWrite === true) this.#isFailing = false;
      asked?.resolve(reply.value);
      return;
    }
    const { code, message, cause } = reply.error;
    if (code === 'ERR_EXECUTION_STORE') this.#warn(cause ?? message);
    asked?.reject(new SandboxError(code, message, cause === undefined ? {} : { cause: new Error(cause) }));
  }

  #warn(reason: string): void {
    if (!this.#isFailing) this.#options.log?.warn({ reason, file: this.#options.file }, 'Executions cannot be written down at the moment');
    this.#isFailing = true;
  }

  #end(cause: unknown): void {
    if (this.#ended) return;
    this.#ended = storeError(cause);
    this.#direct.close();
    this.#requests = [];
    for (const asked of this.#asked.values()) asked.reject(this.#ended);
    this.#asked.clear();
    if (this.#closing === undefined) this.#warn(this.#ended.message);
  }
}

function withImage(request: StoreRequest): StoreRequest {
  const parameters = request.parameters.map((value) => (value instanceof ImageCopy ? value.bytes : value));
  return { ...request, parameters };
}

/** Without what is the gateway's alone: it is kept elsewhere. */
function plainAnswer(answer: ToolAnswer): ToolAnswer {
  if (answer.ok) return answer;
  // The keys stay in their order: to a program that is given the answer again another one would cost other fuel.
  const { whole: _whole, isMessage: _isMessage, ...error } = answer.error;
  return { ok: false, error };
}

/** Whether nobody waits for it, or not for long: a call that may be made twice is made without. */
function isPatient({ method, parameters }: StoreRequest): boolean {
  if (method !== 'call') return PATIENT.has(method);
  const { stage, isRepeatable } = parameters[1] as StoredCall;
  return stage === 'sent' && isRepeatable;
}
