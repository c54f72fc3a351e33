import { allows } from '../access/grant.ts';
import type { Grant } from '../access/principal.ts';
import { definitionHash } from './definition-hash.ts';
import { toSandboxError } from '../errors.ts';
import type { ToolAnswer, ToolCall } from '../execute/run.ts';
import type { CallJournal } from '../execution/durable-run.ts';
import type { LargeCalls } from './large-calls.ts';
import type { Limits } from '../limits.ts';
import { NOBODY, notApproved, type Approver } from '../policy/approval.ts';
import type { RunPolicies } from '../policy/run-policies.ts';
import type { Verdict } from '../policy/tool-rules.ts';
import { approvalText } from '../result/approval-text.ts';
import { parseBoundedJson } from '../result/bounded-json.ts';
import type { ValidateArguments } from '../upstream/arguments.ts';
import { failedAnswer } from '../upstream/call.ts';
import type { CatalogServer, CatalogTool } from '../upstream/catalog.ts';
import { unknownServer } from '../upstream/unknown.ts';
import type { Upstreams } from '../upstream/upstreams.ts';

/** Of the servers that a call allows itself, so many are told, and so much of each. */
const MAX_NAMES = 20;
const MAX_NAME_CHARS = 64;

export interface ToolCallStages {
  readonly upstreams: Upstreams;
  readonly validateArguments: ValidateArguments;
  readonly limits: Limits;
  /** Makes calls with large arguments wait for their turn; absent: none waits. */
  readonly largeCalls?: LargeCalls | undefined;
  /** Knows what tools without a declared output schema have answered so far. */
  readonly learner?: { learnedSchema(server: string, tool: string): object | undefined } | undefined;
  /** Looks at what a tool really answered, and may change it into an error. */
  readonly observe?: ((server: string, tool: CatalogTool, answer: ToolAnswer) => ToolAnswer) | undefined;
}

/** The run that the calls are of. */
export interface CallingRun {
  readonly policies: RunPolicies;
  readonly principal: string;
  /** The only tools that the principal may call; all when absent. */
  readonly grant?: Grant | undefined;
  /** The only servers that it may call; all when absent. */
  readonly servers?: readonly string[] | undefined;
  /** Asks a person; absent when nobody can be asked. */
  readonly approver?: Approver | undefined;
  readonly program: { readonly code: string; readonly hash: string };
  /** Counts calls that are about to be made; the answer to one too many. Absent: as many as it likes. */
  readonly quota?: { takeCall(): Extract<ToolAnswer, { ok: false }> | undefined } | undefined;
  /** Writes down what is about to leave, before it does. Absent: nothing is written. */
  readonly journal?: CallJournal | undefined;
}

/**
 * Answers a run's tool calls. Everything is decided here, in the gateway, before anything is sent: whether the run may call
 * that server, whether the tool exists and is allowed, whether the arguments match its schema, whether a person agrees.
 */
export function toolCalls(stages: ToolCallStages, run: CallingRun): (call: ToolCall, signal: AbortSignal) => Promise<ToolAnswer> {
  return async (call, signal) => {
    const { servers, grant } = run;
    if (grant && !allows(grant, call.server, call.tool)) return notGranted(call);
    if (servers && !servers.includes(call.server)) {
      return failedAnswer(
        'ERR_CALL_DENIED',
        `This run may not call the server "${call.server}".`,
        `Its limits allow: ${serverNames(servers)}.`,
      );
    }
    // What there is and what is allowed is looked up when its turn has come: while a large call waits tools can come, change and go.
    const make = (): Promise<ToolAnswer> => callNow(stages, run, call, signal);
    const answer = await (stages.largeCalls?.make(run.principal, call.arguments, signal, make) ?? make());
    return answer ?? failedAnswer('ERR_EXECUTE_CANCELLED', 'The run has ended.');
  };
}

/** From here to the sending nothing is waited for, except for a person and the journal. */
async function callNow(stages: ToolCallStages, run: CallingRun, call: ToolCall, signal: AbortSignal): Promise<ToolAnswer> {
  const all = stages.upstreams.catalog().servers;
  const server = all.find(({ name }) => name === call.server);
  if (server) return callTool(stages, run, server, call, signal);
  return unknownServer(
    call.server,
    all.map(({ name }) => name),
  );
}

/** Whether there is such a tool is not said either. */
function notGranted({ server, tool }: ToolCall): ToolAnswer {
  const name = `${server.slice(0, MAX_NAME_CHARS)}.${tool.slice(0, MAX_NAME_CHARS)}`;
  return failedAnswer(
    'ERR_CALL_DENIED',
    `The key or token of this request does not allow "${name}".`,
    'Do it with other tools, or tell the user that a key or token with more rights is needed.',
  );
}

async function callTool(
  stages: ToolCallStages,
  run: CallingRun,
  server: CatalogServer,
  call: ToolCall,
  signal: AbortSignal,
): Promise<ToolAnswer> {
  const tool = server.tools.find(({ name }) => name === call.tool);
  const args = parseArguments(call.arguments, stages.limits);
  if (!args.ok) return args;
  // A tool that is not in the catalog is unknown or denied, or its server was never ready: the upstream's own answer says which.
  if (!tool) return sendUnknown(stages, run, call, args.value, signal);
  const { policies } = run;
  policies.askedAgain(call.number);
  const admitted = policies.admit(server.name, tool, args.value);
  if (!admitted.ok) return admitted;
  const checked = stages.validateArguments(tool, admitted.arguments, (value) => policies.hide?.value(value) ?? value);
  if (!checked.ok) {
    admitted.giveBack();
    return failedAnswer('ERR_CALL_ARGUMENTS', checked.message, checked.hint);
  }
  if (policies.dryRun && !policies.isHarmless(tool, admitted.verdict)) {
    return policies.answerDry(server.name, tool, admitted.arguments, stages.learner?.learnedSchema(server.name, tool.name));
  }
  const tooMany = run.quota?.takeCall();
  if (tooMany !== undefined) {
    admitted.giveBack();
    return tooMany;
  }
  // A person is asked last, about a call that nothing else speaks against. One who says no has answered: the call counts.
  const isAsked = admitted.verdict.decision === 'ask';
  if (isAsked) {
    const refusal = await askPerson(run, server.name, tool, call, admitted.arguments, admitted.verdict, signal);
    if (refusal) return refusal;
  }
  const hasChanged = (): boolean => isAsked && toolNow(stages, server.name, tool.name) !== tool;
  if (hasChanged()) return changedMeanwhile(server.name, tool.name);
  const unsent = await beforeSending(run, call, isRepeatable(tool), signal);
  if (unsent !== undefined) {
    admitted.giveBack();
    return unsent;
  }
  if (hasChanged()) return changedMeanwhile(server.name, tool.name);
  const said = await stages.upstreams.call({ server: server.name, tool: tool.name, arguments: admitted.arguments }, signal);
  const answer = await policies.note(server.name, tool, said);
  return stages.observe?.(server.name, tool, answer) ?? answer;
}

/** The tool may come while that is written down: then the call is one of a tool that there is, with all that is decided about those. */
async function sendUnknown(
  stages: ToolCallStages,
  run: CallingRun,
  call: ToolCall,
  args: Record<string, unknown>,
  signal: AbortSignal,
): Promise<ToolAnswer> {
  const { server, tool } = call;
  const unsent = await beforeSending(run, call, false, signal);
  if (unsent !== undefined) return unsent;
  if (toolNow(stages, server, tool)) return callNow(stages, run, call, signal);
  return stages.upstreams.call({ server, tool, arguments: args }, signal);
}

/** Has it written down that the call leaves. Gives the answer to one that may not leave. */
async function beforeSending(
  { journal }: CallingRun,
  { number }: ToolCall,
  isRepeatableCall: boolean,
  signal: AbortSignal,
): Promise<ToolAnswer | undefined> {
  if (journal === undefined) return undefined;
  const writing = journal.sending(number, isRepeatableCall);
  // Whether it was made need not be known of a call that may be made again.
  if (isRepeatableCall) return void writing.catch(() => undefined);
  try {
    await writing;
  } catch (thrown) {
    return notWritten(thrown);
  }
  return signal.aborted ? failedAnswer('ERR_EXECUTE_CANCELLED', 'The run has ended.') : undefined;
}

/** The answer to a call that cannot be made, because nobody would know of it after a restart. */
function notWritten(thrown: unknown): ToolAnswer {
  const { code, message } = toSandboxError(thrown);
  const isOurs = code !== 'ERR_INTERNAL';
  const said = isOurs ? message : 'It could not be written down that the call is made.';
  return failedAnswer(isOurs ? code : 'ERR_EXECUTION_STORE', `${said} Nothing was sent.`, 'Try it again later.');
}

/** Whether making the call twice is as good as once, as the tool says of itself. */
function isRepeatable({ annotations }: CatalogTool): boolean {
  return annotations?.readOnlyHint === true || annotations?.idempotentHint === true;
}

/** The same object as before, unless its server has changed it. */
function toolNow({ upstreams }: ToolCallStages, server: string, tool: string): CatalogTool | undefined {
  return upstreams
    .catalog()
    .servers.find(({ name }) => name === server)
    ?.tools.find(({ name }) => name === tool);
}

/** What was agreed to is not there any more. */
function changedMeanwhile(server: string, tool: string): ToolAnswer {
  return failedAnswer(
    'ERR_CALL_APPROVAL',
    `The server changed its tool "${server}.${tool}" while a person was asked. Nothing was sent.`,
    'Look at its new description and call it again: then a person is asked about that.',
  );
}

/** The answer to a call that was not approved; undefined for one that was. */
async function askPerson(
  { policies, principal, program, approver = NOBODY }: CallingRun,
  server: string,
  called: CatalogTool,
  { executionId, number }: ToolCall,
  args: Readonly<Record<string, unknown>>,
  { rule }: Verdict,
  signal: AbortSignal,
): Promise<ToolAnswer | undefined> {
  const shown = policies.hide?.value(args) ?? args;
  const { name: tool, title } = called;
  const text = approvalText({ server, tool, title, definition: definitionHash(called), arguments: shown, rule, program });
  try {
    const answer = await approver.ask({ executionId, principal, call: number, server, tool, arguments: shown, text }, signal);
    if (answer.granted) return undefined;
    const { message, hint } = notApproved(`${server}.${tool}`, rule, answer.reason);
    return failedAnswer('ERR_CALL_APPROVAL', message, hint);
  } catch (thrown) {
    return notWritten(thrown);
  }
}

function serverNames(servers: readonly string[]): string {
  const shown = servers.slice(0, MAX_NAMES).map((name) => name.slice(0, MAX_NAME_CHARS));
  const more = servers.length > MAX_NAMES ? ` and ${servers.length - MAX_NAMES} more` : '';
  return servers.length === 0 ? 'no server' : `${shown.join(', ')}${more}`;
}

type Arguments = { readonly ok: true; readonly value: Record<string, unknown> } | Extract<ToolAnswer, { ok: false }>;

function parseArguments(text: string, limits: Limits): Arguments {
  try {
    const bounds = { maxBytes: limits.maxToolArgumentBytes, maxDepth: limits.maxJsonDepth, maxNodes: limits.maxJsonNodes };
    const value = parseBoundedJson(text, bounds);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ok: true, value: value as Record<string, unknown> };
    return { ok: false, error: { code: 'ERR_CALL_ARGUMENTS', message: 'The arguments of a tool call must be one object.' } };
  } catch (error) {
    return { ok: false, error: { code: 'ERR_CALL_ARGUMENTS', message: toSandboxError(error).message } };
  }
}
