import type { StoredExecution } from '../execution/execution-store.ts';
import type { RunPolicies } from '../policy/run-policies.ts';
import type { RunQuota } from '../quota/quotas.ts';
import { RunAudit } from './run-audit.ts';
import { tellProgress, type RunProgress } from './run-progress.ts';
import { openRunResults, type RunResults } from './run-results.ts';
import type { RunTypes } from './run-types.ts';
import type { SandboxStages } from '../sandbox-stages.ts';
import { LOCAL_PRINCIPAL, type ExecuteOptions, type ExecuteRequest } from '../server/sandbox-port.ts';
import type { RunSession } from '../session/run-session.ts';

/** One execution that is to be carried to its end: a new one, or one that another process has begun. */
export interface Call {
  readonly executionId: string;
  readonly request: ExecuteRequest;
  readonly options: Omit<ExecuteOptions, 'signal'>;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** What is stored of it, when it was accepted before this process was; until it goes on. */
  stored?: StoredExecution | undefined;
}

/** What one execution has come to so far: an answer can be made from it at any point. */
export interface Run {
  readonly call: Call;
  readonly executionId: string;
  readonly principal: string;
  readonly phases: Record<string, number>;
  readonly types: RunTypes;
  readonly policies: RunPolicies;
  readonly told: RunProgress;
  readonly results: RunResults;
  readonly audit: RunAudit;
  readonly quota: RunQuota;
  session?: RunSession;
  /** Resolves when it is known whether the execution is written down. */
  keeping?: Promise<void>;
  /** It may have changed something that it would change again if it ran again. */
  hasActed: boolean;
}

/** What every run has of its own. Nothing has begun. */
export function openRun(stages: SandboxStages, call: Call): Run {
  const { request, options, executionId, stored } = call;
  const { principal = LOCAL_PRINCIPAL } = options;
  const policies = stages.policing.begin({
    principal,
    tools: request.limits?.tools,
    dryRun: request.dryRun,
    catalog: stages.upstreams.catalog(),
  });
  const createdAt = stored && call.createdAt;
  return {
    call,
    executionId,
    principal,
    phases: {},
    hasActed: stored !== undefined,
    types: stages.types.begin({ code: request.code, principal, wrappers: stages.wrappers() }),
    policies,
    told: tellProgress(options.onProgress),
    results: openRunResults(stages.results, principal, stages.config.limits, policies.hideText),
    audit: new RunAudit(stages.audit, { executionId, principal, request, policies, createdAt }),
    quota: stages.quotas.of(principal),
  };
}
