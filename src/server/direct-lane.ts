import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Principal } from '../access/principal.ts';
import type { ExecuteCodeDeps } from './execution-calls.ts';
import type { CancelBook } from './cancel-book.ts';
import { answerForm } from './answer-form.ts';
import { type DirectCall, MODERN, readDirectCall } from './direct-call.ts';
import { EventAnswer } from './event-answer.ts';
import { requestKey, SESSION_HEADER } from './legacy-lane.ts';
import { levelKey } from './log-levels.ts';
import type { ExecuteOptions } from './sandbox-port.ts';
import { sendJson } from './send-json.ts';
import type { ServerOptions } from './server-options.ts';
import { TASKS_EXTENSION } from './tasks/task-shapes.ts';
import { toToolResult } from './tool-result.ts';

/** How many different clients' envelopes are remembered. */
const MAX_ENVELOPES = 1_000;

export interface DirectLaneOptions extends ExecuteCodeDeps, Pick<ServerOptions, 'serverInfo'> {
  /** The requests of 2025-11-25 that can be cancelled by name. */
  readonly book: CancelBook;
}

/**
 * The short way for what nearly every request is: a plain call that runs a program or waits for one, in either protocol era. The SDK makes a server with
 * all its schemas for each request, which costs more than the rest of the gateway's work on it; the answers of both ways are the
 * same, byte for byte. Whatever is not exactly such a call goes through the SDK, which knows all the rules.
 */
export interface DirectLane {
  /** Answers the message in the name of its principal, or leaves it and says false. */
  serve(req: IncomingMessage, res: ServerResponse, message: object, principal: Principal): boolean;
}

export function createDirectLane(options: DirectLaneOptions): DirectLane {
  // An envelope that nobody has used yet is for the SDK to judge. It is remembered once the SDK has answered a request with it.
  const envelopes = new Set<string>();
  const learn = (envelope: string, res: ServerResponse): void => {
    res.once('finish', () => {
      if (res.statusCode !== 200) return;
      envelopes.add(envelope);
      const [oldest] = envelopes;
      if (envelopes.size > MAX_ENVELOPES && oldest !== undefined) envelopes.delete(oldest);
    });
  };
  const serve: DirectLane['serve'] = (req, res, message, principal) => {
    const call = readDirectCall(req.headers, message);
    // A client that wants to hear of logs is told of them by the SDK's way.
    if (call === undefined || wantsLog(req, call, options, principal) || mayBeAsked(call, options) || takesTasks(call)) return false;
    // Of each principal its own: what one client sends says nothing about another's.
    const envelope = `${principal.id} ${call.envelope}`;
    if (call.era === 'modern' && !envelopes.has(envelope)) {
      learn(envelope, res);
      return false;
    }
    void (call.era === 'modern' ? serveModern(options, call, res, principal) : serveLegacy(options, call, req, res, principal));
    return true;
  };
  return { serve };
}

/** One JSON document; a lost connection cancels. */
async function serveModern(options: DirectLaneOptions, call: DirectCall, res: ServerResponse, principal: Principal): Promise<void> {
  const gone = new AbortController();
  const close = (): void => gone.abort();
  res.once('close', close);
  const form = answerForm(options.answers ?? 'auto', MODERN);
  const response = await call.call(call.arguments, { ...callerOf(principal), signal: gone.signal, form }, options);
  if (gone.signal.aborted) return;
  res.removeListener('close', close);
  const meta = { 'io.modelcontextprotocol/serverInfo': options.serverInfo };
  const result = { ...toToolResult(response, options, { form, version: MODERN }), resultType: 'complete', _meta: meta };
  sendJson(res, 200, { result, jsonrpc: '2.0', id: call.id });
}

/** A stream of one event; only a cancel by name ends the run. */
async function serveLegacy(
  options: DirectLaneOptions,
  call: DirectCall,
  req: IncomingMessage,
  res: ServerResponse,
  principal: Principal,
): Promise<void> {
  const session = req.headers[SESSION_HEADER];
  // Without the name of a session nobody can cancel it by name, but it ends with the key that it was begun with.
  const key = requestKey(principal, typeof session === 'string' ? session : randomUUID(), call.id);
  const named = options.book.begin(key, principal);
  const answer = new EventAnswer(res);
  named.signal.addEventListener('abort', () => answer.end(), { once: true });
  try {
    if (named.signal.aborted) return answer.end();
    const { signal } = named;
    const header = req.headers['mcp-protocol-version'];
    const version = typeof header === 'string' ? header : undefined;
    const form = answerForm(options.answers ?? 'auto', version);
    const response = await call.call(call.arguments, { ...callerOf(principal), signal, form }, options);
    // Nothing is said about a request after it was cancelled: then the answer has ended already.
    answer.end({ result: toToolResult(response, options, { form, version }), jsonrpc: '2.0', id: call.id });
  } finally {
    named.done();
  }
}

function callerOf({ id, grant, credential }: Principal): Pick<ExecuteOptions, 'principal' | 'grant' | 'credential'> {
  return { principal: id, grant, credential };
}

/** The user of such a client can be asked about calls of tools, which the SDK's way knows how to. */
function mayBeAsked({ envelope }: DirectCall, { port }: DirectLaneOptions): boolean {
  return envelope.includes('"elicitation"') && port.asks();
}

/** For such a client a run can become a task, which the SDK's way sees to. */
function takesTasks({ envelope }: DirectCall): boolean {
  return envelope.includes(`"${TASKS_EXTENSION}"`);
}

function wantsLog(req: IncomingMessage, { era }: DirectCall, { levels }: DirectLaneOptions, { id }: Principal): boolean {
  const session = req.headers[SESSION_HEADER];
  return era === 'legacy' && typeof session === 'string' && levels.get(levelKey(id, session)) !== undefined;
}
