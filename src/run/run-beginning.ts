import { createHash } from 'node:crypto';
import type { Bundle } from '../bundle/bundle.ts';
import type { RunRequest } from '../execute/run.ts';
import type { ExecutionStart } from '../execution/execution-store.ts';
import { readContext, writeContext, writeRequest, type ExecutionContext } from '../live/execution-record.ts';
import type { LiveExecution } from '../live/live-execution.ts';
import type { TokenMemory } from '../policy/personal-data.ts';
import { prepareProgram, type Prepared } from './prepare-program.ts';
import { recallCalls } from './recall-calls.ts';
import { runLimits } from './run-limits.ts';
import { bytesOf } from './large-calls.ts';
import type { Call, Run } from './run-parts.ts';
import type { SandboxStages } from '../sandbox-stages.ts';
import { openRunSession, restoreRunSession, type RunSession } from '../session/run-session.ts';
import { skillsIn } from '../skill/skills.ts';

const NO_STORE = { isWell: false };

/** A run that may begin, or go on. */
export interface Beginning {
  readonly session: RunSession;
  /** Without an id for its places in an executor, which each attempt gets. */
  readonly request: RunRequest;
  readonly engineHash: string;
  readonly context: string;
  /** Whether it is carried to its end whatever process ends. */
  readonly isDurable: boolean;
  /** What its outcome is presented with. */
  readonly prepared: () => Promise<Prepared>;
}

/** The beginning of a new execution: accepted and written down, then checked and bundled. @throws SandboxError as its stages */
export async function beginAnew(stages: SandboxStages, run: Run, execution: LiveExecution): Promise<Beginning> {
  const { request, options } = run.call;
  // A handle that is not valid is told before any work is done for it.
  const session = (run.session = openRunSession(stages.sessions, request, run.principal));
  const keeping = (run.keeping = keep(stages, run, execution));
  run.told.checking();
  const prepared = await run.types.checked(prepareProgram(stages, request, run.phases, { ...options, signal: execution.signal }));
  const { health = NO_STORE } = stages.executions ?? {};
  // Where nothing was wrong with the store lately nothing will be: then nobody waits for it.
  if (!health.isWell) await keeping;
  const isDurable = execution.isKept || health.isWell;
  run.policies.openProgram(request);
  run.policies.openSession(session);
  const { program, warnings } = prepared;
  return {
    session,
    request: {
      executionId: run.executionId,
      program,
      input: JSON.stringify(request.input ?? null),
      state: session.state,
      limits: runLimits(stages.config.limits, request.limits),
      results: run.results.folder,
      skills: stages.skillFiles.folderFor(program.script, run.principal),
    },
    engineHash: stages.engineHash,
    context: isDurable ? contextOf(stages, run, session, warnings) : '',
    isDurable,
    prepared: () => Promise.resolve(prepared),
  };
}

/** Writes down that there is the execution. Where that cannot be it runs all the same, and ends with its request and with this process. */
async function keep({ executions, log }: SandboxStages, { call, principal }: Run, execution: LiveExecution): Promise<void> {
  const { executionId: id, createdAt, request, options } = call;
  if (executions === undefined) return;
  try {
    if (call.stored === undefined) await executions.store.create({ id, principal, createdAt, request: writeRequest(request, options) });
    executions.health.isWell = true;
    execution.keep();
  } catch (err) {
    executions.health.isWell = false;
    log.warn({ executionId: id, err }, 'An execution cannot be kept: it ends with this process');
  }
}

function contextOf(
  { config }: SandboxStages,
  { policies, phases, call }: Run,
  session: RunSession,
  warnings: Prepared['warnings'],
): string {
  const memory = policies.memory({ ...call.request, state: session.state });
  const tokens = memory && { rules: rulesOf(config), ...memory };
  return writeContext({ phases, warnings, ...(session.origin && { session: session.origin }), ...(tokens && { tokens }) });
}

/**
 * The beginning of an execution that had begun before this process was: policies are as strict as they were, and nothing is checked again.
 * @throws SandboxError ERR_EXECUTION_DAMAGED
 */
export async function beginAgain(stages: SandboxStages, run: Run, start: ExecutionStart): Promise<Beginning> {
  const { request, stored } = run.call;
  const context = readContext(start.context);
  const { policies, principal } = run;
  if (context.tokens) policies.restore({ key: context.tokens.key, tokens: tokensOf(stages, context.tokens) });
  const session = (run.session = restoreRunSession(stages.sessions, context.session, { ...request, state: start.state, principal }));
  policies.openProgram(request);
  policies.openSession(session);
  if (stored?.isComplete !== true) policies.suspectPast();
  await recallCalls({ run, catalog: stages.upstreams.catalog() }, stored?.calls ?? []);
  Object.assign(run.phases, context.phases);
  // What a program reads has to be there, and may have been written anew since.
  if (start.skills !== undefined) stages.skillFiles.folderFor(start.script, principal);
  const program = { key: start.programKey, script: start.script };
  return {
    session,
    request: {
      executionId: run.executionId,
      program,
      input: start.input,
      state: start.state,
      limits: start.limits,
      ...(start.results !== undefined && { results: start.results }),
      skills: start.skills,
      now: start.now,
      seed: start.seed,
    },
    engineHash: start.engineHash,
    context: start.context,
    isDurable: true,
    prepared: async () => ({ program, warnings: context.warnings, bundle: await bundleAgain(stages, run, start.script) }),
  };
}

/** The rules that data-flow marks are of may be others by now: then what has a mark has all of them. */
function tokensOf({ config }: SandboxStages, { rules, tokens }: NonNullable<ExecutionContext['tokens']>): TokenMemory['tokens'] {
  if (rules === rulesOf(config)) return tokens;
  return tokens.map(([token, value, marks]) => [token, value, marks === 0 ? 0 : ~0]);
}

function rulesOf({ policies }: SandboxStages['config']): string {
  return createHash('sha256').update(JSON.stringify(policies.dataFlow)).digest('hex').slice(0, 32);
}

/** For positions alone. Where the same text makes another script by now, because a wrapper or a skill is another one, there are none. */
async function bundleAgain(stages: SandboxStages, { call, principal }: Run, script: string): Promise<Bundle> {
  const { code } = call.request;
  const none: Bundle = { script, locate: () => undefined };
  try {
    const wrappers = stages.wrappers();
    const source = { code, wrappers: wrappers.declared ?? wrappers, skills: skillsIn(code, stages.skills, principal) };
    const bundle = await stages.bundler.bundle(source, new AbortController().signal);
    return bundle.script === script ? bundle : none;
  } catch {
    return none;
  }
}

/** What an execution keeps in the gateway's memory until it has ended, in bytes, roughly: a text takes two for each character at most, and a script is ASCII. */
export function heldBytes({ request: { code } }: Call, { request: { program, input, state } }: Beginning): number {
  const values = bytesOf(input) - input.length;
  return 2 * (code.length + input.length + state.length) + values + program.script.length;
}
