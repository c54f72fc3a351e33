import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { getHeapStatistics } from 'node:v8';
import { openKeyKeeper, type KeyKeeper } from '../access/key-keeper.ts';
import { AUDIT_DATABASE } from '../audit/open-audit.ts';
import { CarryOn, type CarryOnOptions } from './carry-on.ts';
import { programKey } from '../component/program-key.ts';
import type { SandboxError } from '../errors.ts';
import { findEngine } from '../engine/find-engine.ts';
import { createApprovals } from '../execution/approvals.ts';
import { createDurableRuns } from '../execution/durable-runs.ts';
import type { ExecutionStore } from '../execution/execution-store.ts';
import { EXECUTIONS_DATABASE } from '../execution/execution-register.ts';
import { openServerExecutions } from '../execution/server-executions.ts';
import { recordLostEnds } from './lost-ends.ts';
import { LiveExecutions } from './live-executions.ts';
import { makeFolder, OWNER_ONLY } from '../make-folder.ts';
import { OldEngines } from './old-engines.ts';
import { putAllAway } from './put-all-away.ts';
import { keyFile } from '../open-access.ts';
import { openFurther, type Runtime } from '../open-runtime.ts';
import type { OpenOptions } from '../open-options.ts';
import type { Executions, SandboxStages } from '../sandbox-stages.ts';
import { LOCAL_PRINCIPAL } from '../server/sandbox-port.ts';

/** Of the memory that V8 may use: what programs and inputs of all executions may take until these have ended. */
const HELD_PART = 1 / 3;
/** How often the ends of sessions are put off whose runs go on, at least, in milliseconds. */
const KEEP_ALIVE_MS = 3_600_000;

/** Executions as the sandbox needs them. */
export interface OpenExecutions extends AsyncDisposable {
  readonly live: LiveExecutions;
  readonly executions: Executions | undefined;
  /** Begins to carry on with what other processes have left. Its end lets go of all executions of this one. */
  carryOn(options: Pick<CarryOnOptions, 'stages' | 'carry'> & { readonly closing: SandboxError }): AsyncDisposable;
}

/** @throws SandboxError ERR_EXECUTION_STORE when a newer version wrote the file; where it cannot be used nothing is kept */
export async function openExecutions(options: OpenOptions, runtime: Runtime): Promise<OpenExecutions> {
  const { config, log, executions: mode = 'all' } = options;
  await using started = new AsyncDisposableStack();
  const keys = started.use(new RevokedKeys(options));
  const store = mode === 'none' ? undefined : await openOwnStore(options);
  started.defer(() => store?.close());
  const isRevoked = (credential: string): boolean => keys.has(credential);
  const { maxWaitingRuns } = config.limits;
  const maxHeldBytes = getHeapStatistics().heap_size_limit * HELD_PART;
  const live = new LiveExecutions({ maxWaitingRuns, localPrincipal: LOCAL_PRINCIPAL, maxHeldBytes, isRevoked });
  const executions = store && started.adopt(openRuns(options, runtime, store), (opened) => opened.close());
  const open = started.move();
  return {
    live,
    executions,
    carryOn: ({ stages, carry, closing }) => {
      const own = mode === 'all' && store ? new CarryOn({ stages, carry, isRevoked, log }) : undefined;
      const closed = new AbortController();
      if (own && store && config.audit.store) {
        const file = join(options.cacheDirectory, AUDIT_DATABASE);
        void recordLostEnds({ stages, store, file, signal: closed.signal, log });
      }
      const forget = store?.onCancelRequest((id) => live.cancel(id));
      // A run may wait for longer than its session would last.
      const timer = setInterval(() => keepSessionsAlive(live, stages), Math.min(KEEP_ALIVE_MS, config.limits.sessionTtlMs / 4)).unref();
      const end = async (): Promise<void> => {
        clearInterval(timer);
        closed.abort();
        forget?.();
        const claiming = own?.close();
        if (executions) await putAllAway({ hibernate: () => executions.hibernate(), awake: () => live.size - executions.asleep() });
        executions?.runs.leave();
        await live.close(closing);
        await claiming;
      };
      return { [Symbol.asyncDispose]: end };
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

function keepSessionsAlive(live: LiveExecutions, { sessions }: SandboxStages): void {
  for (const handle of live.sessions()) {
    try {
      sessions.keepAlive(handle);
    } catch {
      // It is tried again, and a session that ends after all is told when its run does.
    }
  }
}

interface OpenRuns extends Executions {
  /** How many runs are put away. */
  asleep(): number;
  /** Asks every run that only waits to be put away. */
  hibernate(): void;
  close(): Promise<void>;
}

function openRuns(options: OpenOptions, { engine, executor, programs }: Runtime, store: ExecutionStore): OpenRuns {
  const { config, cacheDirectory, log } = options;
  const engines = new OldEngines({
    present: { hash: engine.hash, executor },
    engineChanged: config.executions.engineChanged,
    find: (hash) => findEngine(cacheDirectory, hash),
    start: (old) => openFurther(options, old, programs),
    log,
  });
  const approvals = createApprovals(store);
  const { hibernateAfterMs: afterMs, maxImageBytes, maxWaitingRuns } = config.limits;
  const runs = createDurableRuns({
    store,
    executor,
    engineHash: engine.hash,
    executions: config.executions,
    maxWaitingRuns,
    hibernation: { afterMs, maxImageBytes },
    executorFor: (hash) => engines.executorFor(hash),
    programFor: (script) => ({ script, key: programKey({ script, engineHash: engine.hash }) }),
    log,
  });
  const close = async (): Promise<void> => {
    approvals.close();
    await engines[Symbol.asyncDispose]();
  };
  const asleep = (): number => ('waiting' in runs ? runs.waiting : 0);
  const hibernate = (): void => {
    executor.hibernate();
    void engines.hibernate();
  };
  return { store, runs, approvals, health: { isWell: true }, asleep, hibernate, close };
}

async function openOwnStore({ config, cacheDirectory, log }: OpenOptions): Promise<ExecutionStore | undefined> {
  await makeFolder(cacheDirectory, OWNER_ONLY);
  return openServerExecutions({ file: join(cacheDirectory, EXECUTIONS_DATABASE), limits: config.limits, group: groupOf(config), log });
}

/** Two config files are two groups, unless they name the same one. */
function groupOf({ executions, file }: OpenOptions['config']): string {
  const { group } = executions;
  return group === undefined ? `file:${createHash('sha256').update(file).digest('hex').slice(0, 32)}` : `name:${group}`;
}

/** Looks up keys that were revoked; their file is opened when it is needed first. Where there are no keys any more all of them are. */
class RevokedKeys implements Disposable {
  readonly #options: Pick<OpenOptions, 'config' | 'cacheDirectory'>;
  #keys: KeyKeeper | undefined;

  constructor(options: Pick<OpenOptions, 'config' | 'cacheDirectory'>) {
    this.#options = options;
  }

  has(credential: string): boolean {
    const { config, cacheDirectory } = this.#options;
    if (!config.auth.keys) return true;
    try {
      this.#keys ??= openKeyKeeper(keyFile(cacheDirectory));
      return this.#keys.standingOf(credential) === 'revoked';
    } catch {
      // What cannot be read ends nothing.
      return false;
    }
  }

  [Symbol.dispose](): void {
    this.#keys?.close();
  }
}
