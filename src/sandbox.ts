import { randomUUID } from 'node:crypto';
import { askingRepeat } from './run/ask-repeat.ts';
import { SandboxError } from './errors.ts';
import type { OnCall } from './execute/run-handle.ts';
import type { RunLimits, RunOutcome } from './execute/run.ts';
import type { CallJournal } from './execution/durable-run.ts';
import type { StoredExecution } from './execution/execution-store.ts';
import { createExecutionPort, presentLive } from './live/execution-answers.ts';
import { keepSkill } from './run/keep-skill.ts';
import { untilAnswered, type EarlyAnswer } from './live/early-answer.ts';
import type { LiveExecution } from './live/live-execution.ts';
import type { Limits } from './limits.ts';
import { advertisedOutputSchema } from './result/output-schema.ts';
import { presentFailure, type ExecuteResponse } from './result/present.ts';
import { beginAgain, beginAnew, heldBytes, type Beginning } from './run/run-beginning.ts';
import { cancelError, failed, finish, recordEnd } from './run/run-end.ts';
import { openRun, type Call, type Run } from './run/run-parts.ts';
import { pageBounds } from './run/run-results.ts';
import type { SandboxStages } from './sandbox-stages.ts';
import {
  LOCAL_PRINCIPAL,
  type DescriptionSource,
  type ExecuteOptions,
  type ExecuteRequest,
  type SandboxPort,
} from './server/sandbox-port.ts';
import { toolCalls } from './run/tool-calls.ts';

export type { SandboxStages } from './sandbox-stages.ts';

/** The way of a run: request, check and bundle, session, program, run, commit, answer. */
export function createSandbox(stages: SandboxStages): SandboxPort {
  return {
    outputSchema: advertisedOutputSchema,
    execute: (request, options) => execute(stages, request, options),
    refuse: (error, form) => presentFailure({ executionId: newExecutionId(), error, form }),
    readResult: (id, query, principal = LOCAL_PRINCIPAL) => stages.results.read(principal, id, query, pageBounds(stages.config.limits)),
    asks: () => stages.policing.asks(stages.upstreams.catalog()),
    description: () => describe(stages),
    listSkills: (principal = LOCAL_PRINCIPAL) => stages.listSkills(principal, stages.wrappers()),
    saveSkill: (request, options) => keepSkill(stages, request, options),
    search: (request, principal = LOCAL_PRINCIPAL, grant) => stages.discovery.search(request, principal, grant),
    ...createExecutionPort(stages),
    approvals: stages.executions?.approvals,
  };
}

/** Runs a program, and answers when it has ended, or earlier as the request says: then it goes on without the request. */
async function execute(stages: SandboxStages, request: ExecuteRequest, options: ExecuteOptions): Promise<ExecuteResponse> {
  const execution = carry(stages, { executionId: newExecutionId(), request, options, createdAt: Date.now() });
  const answered = await untilAnswered(execution, options.signal, earlyAnswer(stages.config.limits, request));
  return answered ?? presentLive(execution, options.form);
}

/** Carries an execution to its end, whoever waits for it. */
export function carry(stages: SandboxStages, call: Call): LiveExecution {
  const { principal = LOCAL_PRINCIPAL, credential } = call.options;
  const { executionId, createdAt } = call;
  return stages.live.begin({ executionId, principal, credential, createdAt }, (execution) => toItsEnd(stages, call, execution));
}

async function toItsEnd(stages: SandboxStages, call: Call, execution: LiveExecution): Promise<ExecuteResponse> {
  const run = openRun(stages, call);
  const { quota, policies, told } = run;
  const start = call.stored?.start;
  execution.hide = policies.hideText;
  try {
    await enter(stages, run, execution);
    const begun = start ? await beginAgain(stages, run, start) : await beginAnew(stages, run, execution);
    execution.session = begun.session.handle;
    stages.live.hold(execution, heldBytes(call, begun), start === undefined);
    const outcome = await runProgram(stages, run, begun, execution);
    return await recordEnd(stages, run, execution, await finish(stages, run, begun, outcome));
  } catch (thrown) {
    const ended = failed(stages, run, cancelError(execution.signal, thrown));
    await run.keeping;
    return execution.isLeft ? ended.response : await recordEnd(stages, run, execution, ended);
  } finally {
    quota.leave();
    policies.end();
    told.finished();
  }
}

/** Lets a new run in, and one that goes on in any case: it was let in before. */
async function enter({ live, executions }: SandboxStages, { call, quota, audit, principal }: Run, execution: LiveExecution): Promise<void> {
  if (call.stored) {
    execution.keep();
    return quota.enterAgain();
  }
  quota.enter();
  live.admit(principal);
  executions?.store.admit(principal);
  return audit.begin();
}

async function runProgram(stages: SandboxStages, run: Run, begun: Beginning, execution: LiveExecution): Promise<RunOutcome> {
  const { executions, executor } = stages;
  const { quota, told } = run;
  const { request, engineHash, context, session, isDurable } = begun;
  const isAgain = run.call.stored?.start !== undefined;
  const { signal } = execution;
  const onCall = answering(stages, run, begun, execution);
  told.running(request.limits, request.executionId);
  if (!isDurable || executions === undefined) {
    return quota.run(request.limits, (limits) => executor.run({ ...request, limits }, onCall(), signal));
  }
  const observer = { onWaiting: (reasons: LiveExecution['reasons'] | undefined) => waiting(run, execution, reasons) };
  const askRepeat = askingRepeat(stages, run, request.program.key);
  const durable = { engineHash, context, stateVersion: session.origin?.version, observer, askRepeat };
  const start = (limits: RunLimits): Promise<RunOutcome> =>
    executions.runs.run({ ...durable, request: { ...request, limits }, stored: takeStored(run) }, onCall, signal);
  const outcome = await (isAgain ? quota.runAgain(request.limits, () => start(request.limits)) : quota.run(request.limits, start));
  // What ended only because this process does has not ended.
  if (execution.isLeft && outcome.end.status === 'failed') signal.throwIfAborted();
  return outcome;
}

/** What is stored of a run that had begun. Its whole record is not held here while it waits. */
function takeStored({ call }: Run): StoredExecution | undefined {
  const { stored } = call;
  call.stored = undefined;
  return stored?.start && stored;
}

/** Who answers the calls of a run, given the journal that they are written down in. */
function answering(stages: SandboxStages, run: Run, { request }: Beginning, execution: LiveExecution): (journal?: CallJournal) => OnCall {
  const { config, upstreams, validateArguments, largeCalls, types, executions } = stages;
  const { audit, results, told, policies, quota, principal, call } = run;
  const { grant, approver } = call.options;
  const { code, limits } = call.request;
  const isAgain = call.stored !== undefined;
  const callStages = {
    upstreams,
    validateArguments,
    observe: run.types.observe,
    learner: types.learner,
    limits: config.limits,
    largeCalls,
  };
  const calling = { principal, grant, quota, policies, servers: limits?.servers, program: { code, hash: request.program.key } };
  return (journal) => {
    const asked = journal && executions ? executions.approvals.approver(approver, journal) : approver;
    const onCall = toolCalls(callStages, { ...calling, approver: audit.asking(asked), journal: journal && noting(run, journal) });
    const patient = isAgain ? whenConnected(upstreams, onCall) : onCall;
    return told.counting(results.keeping(audit.calls(execution.noting(patient))));
  };
}

/** The same answers. What has waited so long already waits for a server that still connects, so as not to fail for that. */
function whenConnected(upstreams: SandboxStages['upstreams'], onCall: OnCall): OnCall {
  return async (call, signal) => {
    await upstreams.settled(signal, new Set([call.server])).catch(() => undefined);
    return onCall(call, signal);
  };
}

/** The same journal; that a run has acted is to be known when it ends. */
function noting(run: Run, journal: CallJournal): CallJournal {
  const sending: CallJournal['sending'] = (call, isRepeatable) => {
    run.hasActed ||= !isRepeatable;
    return journal.sending(call, isRepeatable);
  };
  return { asking: (call) => journal.asking(call), sending };
}

/** While a run is put away others may have its place. */
function waiting({ quota }: Run, execution: LiveExecution, reasons: LiveExecution['reasons'] | undefined): void {
  if (reasons === undefined) quota.goOn();
  else quota.rest();
  execution.waits(reasons);
}

function earlyAnswer({ answerAfterMs }: Limits, request: ExecuteRequest): EarlyAnswer {
  const afterMs = Math.min(answerAfterMs, request.answerAfterMs ?? answerAfterMs);
  return { afterMs, isWhenWaiting: request.wait === 'return-when-waiting' };
}

function describe({ config, upstreams, wrappers }: SandboxStages): DescriptionSource {
  return {
    wrappers: wrappers(),
    catalog: upstreams.catalog(),
    limits: config.limits,
    libraries: config.libraries,
    mounts: Object.keys(config.mounts),
    skills: config.skills !== 'off',
    descriptionTokens: config.discovery.descriptionTokens,
  };
}

function newExecutionId(): string {
  return `exe_${randomUUID()}`;
}

/** Why what is not kept ends when the sandbox does. */
export function closingError(): SandboxError {
  return new SandboxError('ERR_SERVER_CLOSING', 'The server is shutting down; the code did not run to its end.');
}
