import type { Config } from './config/schema.ts';
import type { BuildStep } from './engine/build-process.ts';
import type { Log } from './log.ts';
import type { Upstreams } from './upstream/upstreams.ts';

/** `all`: those of the group whose server has ended are carried on with. `own`: only what is begun here is kept. `none`: nothing is. */
type ExecutionsMode = 'all' | 'own' | 'none';

/** What a sandbox is started with. */
export interface OpenOptions {
  readonly config: Config;
  /** Where built engines, programs and sessions are kept. */
  readonly cacheDirectory: string;
  /** The folder whose `node_modules` agent code may import libraries from. */
  readonly installDirectory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly log: Log;
  readonly version: string;
  /** Servers that an embedding application holds itself, in the place of the config's. Closed with the sandbox. */
  readonly upstreams?: Upstreams;
  readonly onBuild?: (step: BuildStep) => void;
  /** What becomes of executions that outlive a process. Default: all of the group are carried on with. */
  readonly executions?: ExecutionsMode;
  /** Gives up starting: what was started is ended again, and the signal's reason is thrown. */
  readonly signal?: AbortSignal;
}
