import { hostText } from './engine.ts';
import { callTool as hostCallTool } from './host.ts';
import { toJsonText } from './json.ts';
import * as p from './primordials.ts';
import { run } from './run.ts';
import { setOrigin } from './stack.ts';
import { ToolError, toolErrorFrom } from './tool-error.ts';

const MAX_NAME = 256;

interface PendingCall {
  server: string;
  tool: string;
  /** Made where the program called, so that a failure shows that place. */
  origin: Error;
  resolve: (value: unknown) => void;
  reject: (reason: unknown) => void;
}

const pending = new p.NativeMap<number, PendingCall>();

/** Begins a tool call. Its promise settles when the host answers; every refusal is a rejected promise, never a throw. */
export function callTool(server: unknown, tool: unknown, args?: unknown): Promise<unknown> {
  const { promise, resolve, reject } = p.newDeferred<unknown>();
  try {
    const text = checkedArguments(server, tool, args);
    // Here and not in a promise's executor, because every frame of a stack costs.
    const call = { __proto__: null, server: server as string, tool: tool as string, origin: new p.NativeError(), resolve, reject };
    const number = hostCallTool(hostText(call.server), hostText(call.tool), text);
    p.mapSet(pending, number, call);
    run.runningCalls++;
  } catch (thrown) {
    reject(thrown);
  }
  return promise;
}

function checkedArguments(server: unknown, tool: unknown, args: unknown): string {
  checkName(server, 'server', server, tool);
  checkName(tool, 'tool', server, tool);
  if (args === undefined) return '{}';
  const json = toJsonText(args, 'arguments', run.options.maxToolArgumentBytes);
  if (json.problem !== null) throw refusal(server, tool, json.message, json.problem === 'too-large' ? 'send less in one call' : json.hint);
  if (p.charCodeAt(json.text, 0) !== 0x7b) {
    throw refusal(server, tool, 'arguments is not an object', 'pass one object with the members of the input schema');
  }
  return json.text;
}

function checkName(name: unknown, what: string, server: unknown, tool: unknown): void {
  if (typeof name === 'string' && name !== '' && name.length <= MAX_NAME) return;
  throw refusal(server, tool, `callTool: ${what} is not a string of 1 to ${MAX_NAME} characters`, 'callTool(server, tool, args)');
}

function refusal(server: unknown, tool: unknown, message: string, hint: string | undefined): ToolError {
  const nameOf = (value: unknown): string => (typeof value === 'string' ? p.cut(value, MAX_NAME) : '');
  return new ToolError(message, { code: 'ERR_CALL_ARGUMENTS', server: nameOf(server), tool: nameOf(tool), hint, content: undefined });
}

/** Settles a call with the host's answer. Unknown numbers are ignored: the host may repeat itself, a program cannot notice. */
export function settleCall(number: number, answerText: string): void {
  const call = p.mapGet(pending, number) as PendingCall | undefined;
  if (call === undefined) return;
  p.mapDelete(pending, number);
  run.runningCalls--;
  try {
    const answer = p.parseJson(answerText) as { ok?: unknown; error?: object };
    if (p.hasOwn(answer, 'error') && answer.error) call.reject(failedCall(answer.error, call));
    else call.resolve(p.hasOwn(answer, 'ok') ? answer.ok : undefined);
  } catch (thrown) {
    call.reject(thrown);
  }
}

function failedCall(answer: object, call: PendingCall): ToolError {
  const error = toolErrorFrom(answer, call.server, call.tool);
  setOrigin(error, call.origin);
  return error;
}

export function forgetCalls(): void {
  p.mapClear(pending);
}
