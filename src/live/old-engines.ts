import type { EngineFiles } from '../engine/engine-files.ts';
import type { OnCall } from '../execute/run-handle.ts';
import type { DurableExecutor, HibernatedRun, ProgramSource, RunEvents, RunOutcome, RunRequest } from '../execute/run.ts';

/** An old engine that nobody needs any more is closed after so long, in milliseconds: runs of one time often wake together. */
const LINGER_MS = 10_000;
/** Old engines that there was none of are not looked for again so soon, in milliseconds. */
const MISSING_MS = 60_000;

/** A process with an old engine, that can be asked to put its runs away. */
export type StartedEngine = DurableExecutor & { hibernate(): void };

export interface OldEnginesOptions {
  readonly present: { readonly hash: string; readonly executor: DurableExecutor };
  /** "keep" has runs end on the engine that they began on, as long as it is there; "fail" knows the present one alone. */
  readonly engineChanged: 'keep' | 'fail';
  /** The engine of a hash, if it is still in the cache folder. */
  readonly find: (hash: string) => Promise<EngineFiles | undefined>;
  /** Starts a process with it. */
  readonly start: (engine: EngineFiles) => Promise<StartedEngine>;
  readonly log: { info(message: string): void };
  readonly lingerMs?: number;
}

/** The engines that runs began on: the present one, and those of earlier versions, each in a process that is there only while runs need it. */
export class OldEngines implements AsyncDisposable {
  readonly #options: OldEnginesOptions;
  readonly #old = new Map<string, Promise<OldEngine | undefined>>();

  constructor(options: OldEnginesOptions) {
    this.#options = options;
  }

  /** What runs programs of an engine; undefined when that engine is gone, or is not wanted any more. */
  async executorFor(hash: string): Promise<DurableExecutor | undefined> {
    const { present, engineChanged } = this.#options;
    if (hash === present.hash) return present.executor;
    if (engineChanged === 'fail') return undefined;
    const known = this.#old.get(hash) ?? this.#find(hash);
    this.#old.set(hash, known);
    return known;
  }

  async #find(hash: string): Promise<OldEngine | undefined> {
    const engine = await this.#options.find(hash);
    if (engine !== undefined) return new OldEngine(engine, this.#options);
    setTimeout(() => this.#old.delete(hash), MISSING_MS).unref();
    return undefined;
  }

  /** Asks every run on an old engine that only waits to be put away. */
  async hibernate(): Promise<void> {
    const all = await Promise.all(this.#old.values());
    await Promise.all(all.map(async (engine) => engine?.hibernate()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = await Promise.all(this.#old.values());
    await Promise.all(all.map(async (engine) => engine?.close()));
  }
}

/** The process of one old engine: started with the first run that needs it, ended some time after the last one. */
class OldEngine implements DurableExecutor {
  readonly #engine: EngineFiles;
  readonly #options: OldEnginesOptions;
  #started: Promise<StartedEngine> | undefined;
  #users = 0;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(engine: EngineFiles, options: OldEnginesOptions) {
    [this.#engine, this.#options] = [engine, options];
  }

  attempt(request: RunRequest, events: RunEvents, signal: AbortSignal): Promise<RunOutcome | HibernatedRun> {
    return this.#use((executor) => executor.attempt(request, events, signal));
  }

  run(request: RunRequest, onCall: OnCall, signal: AbortSignal): Promise<RunOutcome> {
    return this.#use((executor) => executor.run(request, onCall, signal));
  }

  /** Programs of an old engine are not made ahead: there are no new ones. */
  prepare(_program: ProgramSource): void {}

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#end();
  }

  async hibernate(): Promise<void> {
    await this.#started?.then((executor) => executor.hibernate()).catch(() => undefined);
  }

  async #use<T>(work: (executor: DurableExecutor) => Promise<T>): Promise<T> {
    this.#users++;
    clearTimeout(this.#timer);
    try {
      return await work(await this.#start());
    } finally {
      if (--this.#users === 0 && !this.#isClosed) {
        this.#timer = setTimeout(() => void this.#end(), this.#options.lingerMs ?? LINGER_MS).unref();
      }
    }
  }

  #start(): Promise<StartedEngine> {
    if (this.#started) return this.#started;
    this.#options.log.info(`A run goes on with the engine that it began on (${this.#engine.hash.slice(0, 12)})`);
    const starting = this.#options.start(this.#engine);
    this.#started = starting;
    starting.catch(() => (this.#started = undefined));
    return starting;
  }

  async #end(): Promise<void> {
    const started = this.#started;
    this.#started = undefined;
    await started?.then((executor) => executor.close()).catch(() => undefined);
  }
}
