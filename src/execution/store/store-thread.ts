import { SandboxError } from '../../errors.ts';
import { GroupedWrites } from '../../store/grouped-writes.ts';
import { isDamage } from '../../store/replaceable-database.ts';
import { damagedExecution, storeError } from '../execution-errors.ts';
import { ExecutionTables } from './execution-tables.ts';
import {
  READS,
  type PlainError,
  type StoreBatch,
  type StoreMethod,
  type StoreNews,
  type StoreReply,
  type StoreRequest,
  type StoreThreadOptions,
} from './store-protocol.ts';
import { doWork } from './store-work.ts';

/** How often it is looked for what other processes have written. */
const FOLLOW_MS = 200;
/** How long upkeep waits after something was asked. */
const REST_MS = 100;
/** How often it is looked for what has become too old when nothing else happens. */
const TIDY_MS = 60_000;
/** SQLite's own words for what is wrong with the file as a whole: locked, read-only, unreadable. What else fails may be one write's own fault. */
const HOPELESS = new Set([5, 6, 8, 10, 14, 26]);
/** Without these what comes later is not all there is. */
const TEARS: ReadonlySet<StoreMethod> = new Set(['start', 'history', 'answered', 'restarted']);

/** The database behind the store's methods: writes in groups, reads behind the writes that came before them. */
export class StoreThread {
  readonly #tables: ExecutionTables;
  readonly #writes: GroupedWrites;
  readonly #send: (news: StoreNews) => void;
  readonly #timers: NodeJS.Timeout[];
  #replies: StoreReply[] = [];
  /** The clock of who asked last, and when that was by ours. */
  #told: readonly [now: number, at: number] = [Date.now(), performance.now()];
  #rest: NodeJS.Timeout | undefined;
  #hasToldOwner = false;

  /** @throws Error when the database cannot be used */
  constructor(options: StoreThreadOptions, send: (news: StoreNews) => void) {
    this.#tables = new ExecutionTables(options);
    this.#send = send;
    this.#writes = new GroupedWrites({
      transact: (work) => this.#tables.transact(work),
      after: () => this.#tables.upkeep.tidy(this.#told[0]),
      isWorthRetrying: (error) => !HOPELESS.has(errorNumber(error)),
    });
    this.#timers = [setInterval(() => this.#follow(), FOLLOW_MS), setInterval(() => this.#tick(), TIDY_MS)];
  }

  receive({ now, requests, direct }: StoreBatch): void {
    this.#told = [now, performance.now()];
    this.#tables.setClock(now);
    if (direct > 0) this.#tidyBehind(direct);
    for (const request of requests) {
      if (request.method === 'close') this.#close(request.number);
      else if (READS.has(request.method)) this.#read(request);
      else void this.#write(request);
    }
    this.#rest ??= setTimeout(() => this.#upkeep(), REST_MS);
  }

  /** Whoever reads next finds nothing whose time is over, as behind the writes of this thread. */
  #tidyBehind(direct: number): void {
    try {
      this.#tables.upkeep.wroteDirectly(direct, (work) => this.#tables.transact(work), this.#told[0]);
    } catch {
      // Somebody else writes: it is tried again when nothing else is to be done.
    }
  }

  async #write(request: StoreRequest): Promise<void> {
    const { method, parameters } = request;
    const { writes, upkeep } = this.#tables;
    const id = String(parameters[0]);
    try {
      let wasTorn = false;
      const value = await this.#writes.add(() => {
        wasTorn = writes.isTorn(id);
        return this.#do(request);
      });
      if (wasTorn) writes.mended(id);
      upkeep.wrote(1, freed(parameters[2]));
      this.#reply({ number: request.number, ok: true, value });
      if (method === 'requestCancel' || method === 'claim') this.#tellCancels();
    } catch (error) {
      if (TEARS.has(method) && !(error instanceof SandboxError)) writes.tear(id);
      this.#reply({ number: request.number, ok: false, error: plainError(error, id) });
    }
  }

  #read(request: StoreRequest): void {
    this.#writes.flush();
    try {
      this.#reply({ number: request.number, ok: true, value: this.#do(request) });
    } catch (error) {
      this.#reply({ number: request.number, ok: false, error: plainError(error, String(request.parameters[0])) });
    }
  }

  #do({ method, parameters }: StoreRequest): unknown {
    return doWork(this.#tables, method, parameters);
  }

  /** Answers that come together leave together. */
  #reply(reply: StoreReply): void {
    this.#replies.push(reply);
    if (this.#replies.length === 1) queueMicrotask(() => queueMicrotask(() => this.#flushReplies()));
  }

  #flushReplies(): void {
    const replies = this.#replies.splice(0);
    if (replies.length === 0) return;
    const owner = this.#hasToldOwner ? undefined : this.#tables.owner;
    this.#hasToldOwner ||= owner !== undefined;
    this.#send({ replies, decisions: [], cancels: [], ...(owner !== undefined && { owner }) });
  }

  #close(number: number): void {
    this.#writes.flush();
    for (const timer of this.#timers) clearInterval(timer);
    clearTimeout(this.#rest);
    try {
      this.#tables.close();
      this.#reply({ number, ok: true, value: undefined });
    } catch (error) {
      this.#reply({ number, ok: false, error: plainError(error, '') });
    }
  }

  #follow(): void {
    try {
      const { decisions, cancels } = this.#tables.news();
      if (decisions.length + cancels.length > 0) this.#send({ replies: [], decisions, cancels });
    } catch {
      // Whoever asks next is told.
    }
  }

  /** Of what is ours already, or has just become so. */
  #tellCancels(): void {
    this.#flushReplies();
    const cancels = this.#tables.claims.newCancels();
    if (cancels.length > 0) this.#send({ replies: [], decisions: [], cancels });
  }

  /** Time passes also when nothing is asked. */
  #tick(): void {
    const [now, at] = this.#told;
    this.#told = [now + performance.now() - at, performance.now()];
    this.#tidy();
  }

  #tidy(): void {
    this.#rest ??= setTimeout(() => this.#upkeep(), REST_MS);
  }

  #upkeep(): void {
    this.#rest = undefined;
    try {
      if (this.#tables.upkeep.rest((work) => this.#tables.transact(work), this.#told[0])) this.#tidy();
    } catch {
      // A full disk, or another process that writes: there is another time.
    }
  }
}

/** An image that is written is not needed any more, and too large to wait for the garbage collector. @returns how long it was */
function freed(image: unknown): number {
  if (!(image instanceof Uint8Array)) return 0;
  const { length, buffer } = image;
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
  return length;
}

function plainError(error: unknown, id: string): PlainError {
  const coded = codedError(error, id);
  return { code: coded.code, message: coded.message, ...(coded.cause !== undefined && { cause: reasonOf(coded.cause) }) };
}

function codedError(error: unknown, id: string): SandboxError {
  if (error instanceof SandboxError) return error;
  return isDamage(error) ? damagedExecution(id, 'record') : storeError(error);
}

function errorNumber(error: unknown): number {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode % 256 : 0;
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
