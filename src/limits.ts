// oxlint-disable max-lines -- one table of all limits, which may import nothing
/** What a limit is for. Every entry of {@link LIMITS} has a test just under and just over it. */
export interface Limit {
  readonly default: number;
  readonly minimum: number;
  readonly maximum: number;
  readonly unit: 'ms' | 'fuel' | 'MiB' | 'bytes' | 'count';
  /** The attack or accident that it stops. */
  readonly against: string;
  /** The files under `src/` that enforce it. */
  readonly enforcedIn: string;
}

const KiB = 1024;
const MiB = 1024 * KiB;

/**
 * Every limit, once. Operators change them under `limits` in the config file; one call of `execute_code` may lower those
 * that its own `limits` names. The table is the source of the config schema's defaults and ranges.
 */
export const LIMITS = {
  timeoutMs: {
    default: 30_000,
    minimum: 10,
    maximum: 3_600_000,
    unit: 'ms',
    against: 'code that computes for too long in real time, on a slow or busy machine',
    enforcedIn: 'execute/worker/meter-control.ts, at each slice of fuel',
  },
  waitMs: {
    default: 86_400_000,
    minimum: 10,
    maximum: 2_592_000_000,
    unit: 'ms',
    against: 'runs that wait for ever for tools, timers or people',
    enforcedIn: 'execute/worker/run-waits.ts and, while a run is put away, execution/asleep.ts',
  },
  answerAfterMs: {
    default: 50_000,
    minimum: 10,
    maximum: 86_400_000,
    unit: 'ms',
    against: 'clients that give up on an open request, and would never hear how the run ended',
    enforcedIn: 'live/early-answer.ts',
  },
  hibernateAfterMs: {
    default: 2_000,
    minimum: 0,
    maximum: 3_600_000,
    unit: 'ms',
    against: 'runs that hold an instance while they wait',
    enforcedIn: 'execute/worker/run-waits.ts',
  },
  maxImageBytes: {
    default: 16 * MiB,
    minimum: 64 * KiB,
    maximum: 128 * MiB,
    unit: 'bytes',
    against: 'runs that fill their memory and then sleep; a larger one, as stored, keeps its instance',
    enforcedIn: 'execute/worker/sleeping-run.ts, and in the gateway execute/hibernated-run.ts',
  },
  maxWaitingRuns: {
    default: 20_000,
    minimum: 1,
    maximum: 1_000_000,
    unit: 'count',
    against: 'programs that are started to sleep; past it no run is accepted until one ends',
    enforcedIn: 'live-executions.ts, before a run begins, and execution/waiting-runs.ts',
  },
  maxRecordBytes: {
    default: 64 * MiB,
    minimum: MiB,
    maximum: 1024 * MiB,
    unit: 'bytes',
    against: 'runs whose calls, answers and timers fill the store; a longer record is dropped, and the run cannot be replayed',
    enforcedIn: 'execution/kept-record.ts',
  },
  maxStoredBytes: {
    default: 4096 * MiB,
    minimum: MiB,
    maximum: 1_048_576 * MiB,
    unit: 'bytes',
    against: 'executions that fill the disk; ended ones of the principal that holds most go first, of unfinished ones each has its share',
    enforcedIn: 'execution/store/store-upkeep.ts and execution/store/open-bytes.ts',
  },
  executionTtlMs: {
    default: 86_400_000,
    minimum: 1_000,
    maximum: 31_536_000_000,
    unit: 'ms',
    against: 'records and results of runs that stay for ever after their end',
    enforcedIn: 'execution/store/store-upkeep.ts',
  },
  fuel: {
    default: 400_000_000_000,
    minimum: 50_000_000,
    maximum: 1_000_000_000_000_000,
    unit: 'fuel',
    against: 'endless loops, regular expression bombs, one huge builtin call; the same end on every machine',
    enforcedIn: 'execute/worker/meter-control.ts and the metered engine',
  },
  memoryMb: {
    default: 256,
    minimum: 16,
    maximum: 256,
    unit: 'MiB',
    against: 'allocation bombs; the whole linear memory counts, the engine included',
    enforcedIn: 'execute/worker/meter-control.ts and the metered engine: memory.grow',
  },
  maxToolCalls: {
    default: 1_000,
    minimum: 0,
    maximum: 100_000,
    unit: 'count',
    against: 'floods of calls to the upstream servers',
    enforcedIn: 'host-functions/call-tool.ts',
  },
  maxConcurrentToolCalls: {
    default: 32,
    minimum: 1,
    maximum: 1_000,
    unit: 'count',
    against: 'one run that takes all of an upstream server; further calls wait their turn',
    enforcedIn: 'host-functions/call-tool.ts',
  },
  maxSourceBytes: {
    default: 256 * KiB,
    minimum: KiB,
    maximum: 16 * MiB,
    unit: 'bytes',
    against: 'source text made to be slow to parse',
    enforcedIn: 'server/input-schema.ts and bundle/bundler.ts',
  },
  maxBundleBytes: {
    default: 8 * MiB,
    minimum: 64 * KiB,
    maximum: 64 * MiB,
    unit: 'bytes',
    against: 'imports that bundle to more than the engine can load quickly',
    enforcedIn: 'bundle/bundler.ts',
  },
  maxInputBytes: {
    default: MiB,
    minimum: KiB,
    maximum: 64 * MiB,
    unit: 'bytes',
    against: 'requests that fill memory before a run begins',
    enforcedIn: 'server/input-schema.ts',
  },
  maxResultBytes: {
    default: 64 * KiB,
    minimum: KiB,
    maximum: 64 * MiB,
    unit: 'bytes',
    against: 'results that fill the model context; a larger one is kept whole and answered as a preview',
    enforcedIn: 'result/present.ts',
  },
  maxKeptResultBytes: {
    default: 64 * MiB,
    minimum: KiB,
    maximum: 64 * MiB,
    unit: 'bytes',
    against: 'results that fill the host; one that is larger ends the run',
    enforcedIn: 'the guest runtime, then execute/worker/guest-status.ts',
  },
  maxContentBytes: {
    default: MiB,
    minimum: 64 * KiB,
    maximum: 16 * MiB,
    unit: 'bytes',
    against: 'images, audio and resources that fill an answer; what is over is kept beside it',
    enforcedIn: 'result/large-content.ts',
  },
  maxKeptBytes: {
    default: 1024 * MiB,
    minimum: MiB,
    maximum: 1_024 * 1_024 * MiB,
    unit: 'bytes',
    against: 'kept results that fill the disk; the oldest go first',
    enforcedIn: 'kept-result/kept-results.ts',
  },
  resultTtlMs: {
    default: 3_600_000,
    minimum: 1_000,
    maximum: 31_536_000_000,
    unit: 'ms',
    against: 'results that stay readable for ever',
    enforcedIn: 'kept-result/kept-results.ts',
  },
  maxStateBytes: {
    default: MiB,
    minimum: KiB,
    maximum: 64 * MiB,
    unit: 'bytes',
    against: 'sessions that fill the store',
    enforcedIn: 'the guest runtime, then execute/worker/guest-status.ts',
  },
  maxLogBytes: {
    default: 64 * KiB,
    minimum: 0,
    maximum: 16 * MiB,
    unit: 'bytes',
    against: 'floods of log lines in the model context; what is over is kept beside the answer',
    enforcedIn: 'result/present.ts',
  },
  maxKeptLogBytes: {
    default: 4 * MiB,
    minimum: 0,
    maximum: 16 * MiB,
    unit: 'bytes',
    against: 'floods of log lines that fill the host; what is over is dropped and counted',
    enforcedIn: 'host-functions/log.ts',
  },
  maxToolArgumentBytes: {
    default: MiB,
    minimum: KiB,
    maximum: 64 * MiB,
    unit: 'bytes',
    against: 'arguments that fill the gateway or an upstream server',
    enforcedIn: 'host-functions/call-tool.ts',
  },
  maxToolResultBytes: {
    default: 8 * MiB,
    minimum: KiB,
    maximum: 64 * MiB,
    unit: 'bytes',
    against: 'upstream servers that answer with more than a run can hold',
    enforcedIn: 'upstream/tool-value.ts',
  },
  maxFileBytes: {
    default: 16 * MiB,
    minimum: KiB,
    maximum: 64 * MiB,
    unit: 'bytes',
    against: 'readFile of files larger than a run can hold',
    enforcedIn: 'host-functions/read-file.ts',
  },
  maxJsonDepth: {
    default: 200,
    minimum: 8,
    maximum: 1_000,
    unit: 'count',
    against: 'nesting bombs in results, state and arguments',
    enforcedIn: 'result/bounded-json.ts, before any parse of guest JSON; server/input-schema.ts',
  },
  maxJsonNodes: {
    default: 200_000,
    minimum: 1_000,
    maximum: 10_000_000,
    unit: 'count',
    against: 'JSON with so many elements that parsing it takes seconds and gigabytes',
    enforcedIn: 'result/bounded-json.ts, before any parse of guest JSON; server/input-schema.ts',
  },
  maxQueuedRuns: {
    default: 256,
    minimum: 0,
    maximum: 100_000,
    unit: 'count',
    against: 'more requests than the machine can run; past it the caller is told to try again',
    enforcedIn: 'execute/executor/admission.ts',
  },
  maxRunsPerWorker: {
    default: 1_024,
    minimum: 1,
    maximum: 4_096,
    unit: 'count',
    against: 'waiting runs that take all memory; none begins past half of the machine, none grows past three quarters',
    enforcedIn: 'execute/executor/admission.ts and execute/executor/pool.ts',
  },
  maxCacheBytes: {
    default: 512 * MiB,
    minimum: MiB,
    maximum: 1_024 * 1_024 * MiB,
    unit: 'bytes',
    against: 'a program cache that fills the disk',
    enforcedIn: 'component/disk-cache.ts',
  },
  maxSkills: {
    default: 1_000,
    minimum: 1,
    maximum: 100_000,
    unit: 'count',
    against: 'agents that save without end; past it nothing more is saved',
    enforcedIn: 'skill/skill-store.ts',
  },
  maxSkillBytes: {
    default: 64 * KiB,
    minimum: KiB,
    maximum: MiB,
    unit: 'bytes',
    against: 'skills made to be slow to check and bundle',
    enforcedIn: 'skill/save-skill.ts',
  },
  maxSessions: {
    default: 10_000,
    minimum: 1,
    maximum: 1_000_000,
    unit: 'count',
    against: 'callers that never come back for their sessions; the oldest go first',
    enforcedIn: 'session/session-store.ts',
  },
  maxFailedLogins: {
    default: 30,
    minimum: 1,
    maximum: 1_000_000,
    unit: 'count',
    against: 'wrong keys and tokens, of one remote address in a minute; past it they are answered with 429',
    enforcedIn: 'access/failure-bound.ts',
  },
  sessionTtlMs: {
    default: 86_400_000,
    minimum: 1_000,
    maximum: 31_536_000_000,
    unit: 'ms',
    against: 'handles that stay valid for ever',
    enforcedIn: 'session/session-store.ts',
  },
} as const satisfies Record<string, Limit>;

export type LimitName = keyof typeof LIMITS;

/** A value for every limit, in its unit. */
export type Limits = { readonly [name in LimitName]: number };
