import { CLIENT_CAPABILITIES_META_KEY, inputRequired } from '@modelcontextprotocol/server';
import type { ElicitRequestFormParams, InputRequiredResult, McpServer, ServerContext } from '@modelcontextprotocol/server';
import type { Principal } from '../access/principal.ts';
import { toSandboxError } from '../errors.ts';
import type { ApprovalAnswer, ApprovalQuestion, Approver } from '../policy/approval.ts';
import { envelopeOf, versionOf } from './answer-form.ts';
import { MODERN } from './direct-call.ts';
import type { ParkedRuns, Step } from './parked-runs.ts';
import { createProgress } from './progress.ts';
import type { AnswerForm, ExecuteOptions, ExecuteResponse, SandboxPort } from './sandbox-port.ts';

/** A person may think for as long as the run may wait at most: the run itself ends the question earlier. */
const MAX_ANSWER_MS = 86_400_000;

export interface AskingDeps {
  readonly port: Pick<SandboxPort, 'asks' | 'refuse'>;
  readonly parked: ParkedRuns;
  readonly principal: Principal;
}

export interface AskingCall {
  readonly ctx: ServerContext;
  readonly server: McpServer;
  readonly form: AnswerForm;
  readonly deps: AskingDeps;
  /** Runs the program. */
  readonly run: (caller: ExecuteOptions) => Promise<ExecuteResponse>;
}

/**
 * Makes a call for a client that can ask its user: in the 2025 revisions while the request is open, from 2026-07-28 on by answering with the questions,
 * and the run goes on with the request that brings their answers. For any other client the run hears that nobody can be asked.
 */
export async function callAsking(call: AskingCall): Promise<ExecuteResponse | InputRequiredResult> {
  const { ctx, server, form, deps, run } = call;
  const progress = createProgress(ctx);
  const { signal } = ctx.mcpReq;
  const { onProgress } = progress;
  const state = ctx.mcpReq.requestState<string>();
  const isModern = versionOf(ctx, server) === MODERN;
  try {
    if (state !== undefined) return toResult(await deps.parked.resume(deps.principal.id, state, answersIn(ctx), { signal, onProgress }));
    const caller = { signal, form, ...(onProgress && { onProgress }) };
    if (!deps.port.asks() || !canAsk(ctx, server)) return await run(caller);
    if (!isModern) return await run({ ...caller, approver: askNow(ctx) });
    return toResult(
      await deps.parked.start(deps.principal.id, { signal, onProgress, owner: deps.principal }, (parked) => run({ form, ...parked })),
    );
  } catch (error) {
    return deps.port.refuse(toSandboxError(error), form);
  } finally {
    progress.end();
  }
}

/** Whether the client has said that it can put a form before its user. Over HTTP a 2025 client has said so to another server than this one. */
function canAsk({ mcpReq }: ServerContext, { server }: McpServer): boolean {
  const ofRequest = envelopeOf(mcpReq)[CLIENT_CAPABILITIES_META_KEY];
  const { elicitation } = (ofRequest ?? server.getClientCapabilities() ?? {}) as { elicitation?: { form?: unknown; url?: unknown } };
  // Nothing in it means forms, as it did before there was anything else.
  return elicitation !== undefined && (elicitation.form !== undefined || elicitation.url === undefined);
}

/** One question after the other, over the request that is open. */
function askNow({ mcpReq }: ServerContext): Approver {
  let last: Promise<unknown> = Promise.resolve();
  const ask = async (question: ApprovalQuestion, signal: AbortSignal): Promise<ApprovalAnswer> => {
    if (signal.aborted) return { granted: false, reason: 'dismissed' };
    try {
      return answerIn(await mcpReq.elicitInput(formOf(question), { signal, timeout: MAX_ANSWER_MS }));
    } catch {
      return { granted: false, reason: 'dismissed' };
    }
  };
  return {
    ask: (question, signal) => {
      const answer = last.then(() => ask(question, signal));
      last = answer;
      return answer;
    },
  };
}

function toResult(step: Step): ExecuteResponse | InputRequiredResult {
  if ('response' in step) return step.response;
  const inputRequests = Object.fromEntries([...step.questions].map(([id, question]) => [id, inputRequired.elicit(formOf(question))]));
  return inputRequired({ inputRequests, requestState: step.state });
}

/** The text names the tool, made harmless: nothing else of it is a stranger's. */
function formOf({ text }: ApprovalQuestion): ElicitRequestFormParams {
  return {
    mode: 'form',
    message: text,
    requestedSchema: {
      type: 'object',
      properties: { approve: { type: 'boolean', title: 'Allow this one call', default: false } },
      required: ['approve'],
    },
  };
}

function answersIn({ mcpReq }: ServerContext): Map<string, ApprovalAnswer> {
  return new Map(Object.entries(mcpReq.inputResponses ?? {}).map(([id, response]) => [id, answerIn(response)]));
}

/** Only a plain yes is one: whatever else a client sends is not. */
function answerIn(response: unknown): ApprovalAnswer {
  const { action, content } = (response ?? {}) as { action?: unknown; content?: { approve?: unknown } | null };
  if (action === 'accept' && content?.approve === true) return { granted: true };
  return { granted: false, reason: action === 'cancel' ? 'dismissed' : 'refused' };
}
