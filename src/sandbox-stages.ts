import type { Audit } from './audit/audit.ts';
import type { Config } from './config/schema.ts';
import type { Discovery } from './discovery/discovery.ts';
import type { Approvals } from './execution/approvals.ts';
import type { DurableRuns } from './execution/durable-run.ts';
import type { ExecutionStore } from './execution/execution-store.ts';
import type { KeptResults } from './kept-result/kept-results.ts';
import type { LargeCalls } from './run/large-calls.ts';
import type { LiveExecutions } from './live/live-executions.ts';
import type { Policing } from './policy/policing.ts';
import type { PrepareStages } from './run/prepare-program.ts';
import type { Quotas } from './quota/quotas.ts';
import type { Types } from './run/run-types.ts';
import type { SessionStore } from './session/session-store.ts';
import type { ListSkills } from './skill/listing.ts';
import type { SkillFiles } from './skill/skill-files.ts';
import type { ValidateArguments } from './upstream/arguments.ts';
import type { Upstreams } from './upstream/upstreams.ts';

/** What keeps executions, and carries them on. */
export interface Executions {
  readonly store: ExecutionStore;
  readonly runs: DurableRuns;
  readonly approvals: Approvals;
  /** Whether the last execution could be written down: the next one does not wait for that then. */
  readonly health: { isWell: boolean };
}

/** The stages of a running sandbox, each already started. */
export interface SandboxStages extends PrepareStages {
  readonly config: Pick<Config, 'limits' | 'check' | 'libraries' | 'mounts' | 'discovery' | 'skills' | 'language' | 'policies'>;
  readonly upstreams: Upstreams;
  readonly validateArguments: ValidateArguments;
  readonly sessions: SessionStore;
  readonly results: KeptResults;
  readonly discovery: Discovery;
  readonly skillFiles: SkillFiles;
  readonly listSkills: ListSkills;
  readonly types: Types;
  readonly policing: Policing;
  readonly largeCalls?: LargeCalls | undefined;
  readonly quotas: Quotas;
  readonly audit: Audit;
  readonly live: LiveExecutions;
  /** Absent where nothing can be kept: then a run ends with its request, and with this process. */
  readonly executions?: Executions | undefined;
  readonly log: { warn(fields: object, message: string): void; error(fields: object, message: string): void };
}
