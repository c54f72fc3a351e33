import { CLIENT_CAPABILITIES_META_KEY, inputRequired } from '@modelcontextprotocol/server';
import type { InputRequiredResult, McpServer, ServerContext } from '@modelcontextprotocol/server';
import type { Principal } from '../access/principal.ts';
import { toSandboxError } from '../errors.ts';
import { envelopeOf, versionOf } from './answer-form.ts';
import { answersIn, formOf } from './approval-form.ts';
import { askWhileOpen } from './ask-now.ts';
import { MODERN } from './direct-call.ts';
import type { Parking, Step } from './parking.ts';
import { createProgress } from './progress.ts';
import type { AnswerForm, ExecuteOptions, ExecuteResponse, SandboxPort } from './sandbox-port.ts';

export interface AskingDeps {
  readonly port: Pick<SandboxPort, 'asks' | 'refuse' | 'waitExecution'>;
  readonly parked: Parking;
  readonly principal: Principal;
}

export interface AskingCall {
  readonly ctx: ServerContext;
  readonly server: McpServer;
  readonly form: AnswerForm;
  readonly deps: AskingDeps;
  /** It waits for a run that others have begun: to give up waiting leaves that alone. */
  readonly isWait?: boolean;
  /** Runs the program. */
  readonly run: (caller: ExecuteOptions) => Promise<ExecuteResponse>;
}

/**
 * Makes a call for a client that can ask its user: in the 2025 revisions while the request is open, from 2026-07-28 on by answering with the questions,
 * and the run goes on with the request that brings their answers. The runs of any other client wait for the operator, where they are kept.
 */
export async function callAsking(call: AskingCall): Promise<ExecuteResponse | InputRequiredResult> {
  const { ctx, server, form, deps, isWait = false, run } = call;
  const progress = createProgress(ctx);
  const { signal } = ctx.mcpReq;
  const { onProgress } = progress;
  const state = ctx.mcpReq.requestState<string>();
  const isModern = versionOf(ctx, server) === MODERN;
  try {
    const attached = { signal, onProgress, form, owner: deps.principal, isWait };
    if (state !== undefined) return toResult(await deps.parked.resume(deps.principal.id, state, answersIn(ctx), attached));
    const caller = { signal, form, ...(onProgress && { onProgress }) };
    if (!deps.port.asks() || !canAsk(ctx, server)) return await run(caller);
    if (!isModern) return await askWhileOpen(ctx, deps.port, caller, run);
    return toResult(await deps.parked.start(deps.principal.id, attached, (parked) => run({ form, ...parked })));
  } catch (error) {
    return deps.port.refuse(toSandboxError(error), form);
  } finally {
    progress.end();
  }
}

/** Whether the client has said that it can put a form before its user. Over HTTP a 2025 client has said so to another server than this one. */
export function canAsk({ mcpReq }: ServerContext, { server }: McpServer): boolean {
  const ofRequest = envelopeOf(mcpReq)[CLIENT_CAPABILITIES_META_KEY];
  const { elicitation } = (ofRequest ?? server.getClientCapabilities() ?? {}) as { elicitation?: { form?: unknown; url?: unknown } };
  // Nothing in it means forms, as it did before there was anything else.
  return elicitation !== undefined && (elicitation.form !== undefined || elicitation.url === undefined);
}

function toResult(step: Step): ExecuteResponse | InputRequiredResult {
  if ('response' in step) return step.response;
  const inputRequests = Object.fromEntries([...step.questions].map(([id, question]) => [id, inputRequired.elicit(formOf(question))]));
  return inputRequired({ inputRequests, requestState: step.state });
}
