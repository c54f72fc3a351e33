import { beforeAll, expect, inject, test } from 'vitest';
import { programKey } from '../../src/component/program-key.ts';
import { ERROR_CODES } from '../../src/errors.ts';
import { advertisedOutputSchema, executeOutputSchema } from '../../src/result/output-schema.ts';
import { advertise, advertiseUnchecked } from '../../src/server/tool-schema.ts';
import { executeInputSchema } from '../../src/server/input-schema.ts';
import type { SupervisedExecutor } from '../../src/execute/supervised-executor.ts';
import { resultOf, runBody, sharedExecutor } from '../support/executor.ts';

/*
 * Pins: the exact present form of what others rely on, as literals and never as values imported from src. A pin that fails
 * tells a deliberate change from an accidental one: change it in the same commit, and say so.
 */

let executor: SupervisedExecutor;
beforeAll(async () => {
  executor = await sharedExecutor();
});

const ERRORS = `ERR_CONFIG_NOT_FOUND ERR_CONFIG_SYNTAX ERR_CONFIG_INVALID ERR_CONFIG_VARIABLE
  ERR_ACCESS_REQUIRED ERR_ACCESS_MISSING ERR_ACCESS_REQUEST ERR_ACCESS_INVALID ERR_ACCESS_SCOPE ERR_ACCESS_THROTTLED
  ERR_ACCESS_UNAVAILABLE ERR_ACCESS_KEY ERR_UPSTREAM_UNAVAILABLE
  ERR_UPSTREAM_TIMEOUT ERR_UPSTREAM_CLOSED ERR_UPSTREAM_PROTOCOL ERR_UPSTREAM_TOO_LARGE ERR_UPSTREAM_LOGIN ERR_UPSTREAM_LOGIN_FAILED ERR_UPSTREAM_LOGIN_STORE ERR_UPSTREAM_ADDRESS ERR_WRAPPERS_WRITE
  ERR_CHECK_TYPES ERR_CHECK_TIMEOUT ERR_CHECK_FAILED ERR_BUNDLE_SYNTAX ERR_BUNDLE_IMPORT ERR_BUNDLE_FORM ERR_BUNDLE_TOO_LARGE ERR_BUNDLE_FAILED ERR_ENGINE_BUILD
  ERR_ENGINE_METER ERR_ENGINE_CONTRACT ERR_ENGINE_CACHE ERR_COMPONENT_LOAD ERR_COMPONENT_DAMAGED
  ERR_COMPONENT_EXPORT ERR_EXECUTE_THROWN ERR_EXECUTE_FUEL ERR_EXECUTE_ACTIVE_TIME ERR_EXECUTE_WAITING_TIME
  ERR_EXECUTE_MEMORY ERR_EXECUTE_STACK ERR_EXECUTE_CANCELLED ERR_EXECUTE_NEVER_SETTLES ERR_EXECUTE_TOOL_CALLS
  ERR_EXECUTE_RESULT_TOO_LARGE ERR_EXECUTE_RESULT_INVALID ERR_EXECUTE_ENGINE ERR_EXECUTE_BUSY ERR_EXECUTE_LOST
  ERR_EXECUTION_UNKNOWN ERR_EXECUTION_STORE ERR_EXECUTION_FULL ERR_EXECUTION_DAMAGED ERR_EXECUTION_DIVERGED ERR_EXECUTION_ENGINE ERR_EXECUTION_APPROVAL
  ERR_CALL_UNKNOWN_SERVER ERR_CALL_UNKNOWN_TOOL ERR_CALL_DENIED ERR_CALL_BUDGET ERR_CALL_APPROVAL ERR_CALL_INTERRUPTED ERR_CALL_DATA_FLOW ERR_CALL_OUTPUT ERR_CALL_ARGUMENTS ERR_CALL_TOOL ERR_FILE_PATH
  ERR_FILE_NOT_FOUND ERR_FILE_DENIED ERR_FILE_TOO_LARGE ERR_SESSION_UNKNOWN ERR_SESSION_CONFLICT
  ERR_SESSION_STORE ERR_QUOTA_RUNS ERR_QUOTA_CONCURRENT ERR_QUOTA_FUEL ERR_QUOTA_CALLS ERR_AUDIT_STORE ERR_SKILL_OFF ERR_SKILL_NAME ERR_SKILL_UNKNOWN ERR_SKILL_INVALID ERR_SKILL_STORE
  ERR_RESULT_UNKNOWN ERR_RESULT_STORE ERR_SERVER_INPUT ERR_SERVER_LISTEN ERR_SERVER_CLOSING ERR_CLI_USAGE ERR_CLI_FILE
  ERR_INTERNAL`;

test('the error codes', () => {
  expect([...ERROR_CODES]).toEqual(ERRORS.split(/\s+/));
});

test('the four host functions and the guest contract', () => {
  expect(inject('engine').contract).toEqual({
    imports: [
      'ampoule:sandbox/host.call-tool',
      'ampoule:sandbox/host.get-state',
      'ampoule:sandbox/host.log',
      'ampoule:sandbox/host.read-file',
    ],
    exports: ['load', 'resume', 'start', 'status'],
  });
});

const GLOBALS = `AbortController AbortSignal AggregateError Array ArrayBuffer AsyncDisposableStack BigInt BigInt64Array
  BigUint64Array Boolean CustomEvent DOMException DataView Date DisposableStack Error EvalError Event
  EventTarget FinalizationRegistry Float16Array Float32Array Float64Array Function Infinity Int16Array
  Int32Array Int8Array Intl Iterator JSON Map Math NaN Number Object Promise Proxy RangeError ReferenceError Reflect
  RegExp Set String SuppressedError Symbol SyntaxError TextDecoder TextEncoder TypeError URIError URL
  URLSearchParams Uint16Array Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakRef WeakSet atob btoa
  clearImmediate clearInterval clearTimeout console crypto decodeURI decodeURIComponent encodeURI
  encodeURIComponent escape eval globalThis isFinite isNaN parseFloat parseInt performance queueMicrotask
  setImmediate setInterval setTimeout structuredClone undefined unescape`;

test('the names that a program sees', async () => {
  const names = resultOf(await runBody(executor, 'return Object.getOwnPropertyNames(globalThis).sort()'));
  expect(names).toEqual(GLOBALS.split(/\s+/));
  expect(resultOf(await runBody(executor, 'return Object.getOwnPropertySymbols(globalThis).length'))).toBe(0);
});

test('the members of the module "ampoule"', async () => {
  expect(resultOf(await runBody(executor, 'return Object.keys(ampoule).sort()'))).toEqual([
    'ToolError',
    'callTool',
    'getState',
    'log',
    'readFile',
    'setState',
    'sleep',
  ]);
});

test('the shape of an outcome', async () => {
  const body = 'console.log("x"); ampoule.setState("a", 1); await ampoule.callTool("s", "t"); return { a: 1 }';
  const outcome = await runBody(executor, body, { now: 0, seed: '00'.repeat(32) });
  const number = expect.any(Number) as unknown;
  expect(outcome).toEqual({
    end: { status: 'completed', result: '{"a":1}', state: '{"a":1}' },
    logs: [{ level: 'info', message: 'x' }],
    droppedLogBytes: 0,
    calls: [{ server: 's', tool: 't', ok: true, ms: number }],
    usage: { fuel: number, peakMemoryBytes: number, activeMs: number, waitingMs: number, toolCalls: 1 },
    cache: 'miss',
    phases: { queue: number, component: number, run: number },
  });
});

test('the shape of a failed outcome', async () => {
  const { end } = await runBody(executor, 'function inner() { throw new TypeError("no") } inner()');
  expect(end).toEqual({
    status: 'failed',
    code: 'ERR_EXECUTE_THROWN',
    name: 'TypeError',
    message: 'no',
    stack: expect.stringMatching(/^ {4}at inner \(program\.js:1:\d+\)\n/),
  });
});

/** Every key of a JSON Schema that names a member, with its path; a `?` after those that may be absent. */
function members(schema: unknown, path = ''): string[] {
  const {
    properties = {},
    required = [],
    items,
  } = schema as { properties?: Record<string, unknown>; required?: string[]; items?: unknown };
  const own = Object.entries(properties).flatMap(([key, value]) => [
    `${path}${key}${required.includes(key) ? '' : '?'}`,
    ...members(value, `${path}${key}.`),
  ]);
  return items === undefined ? own : [...own, ...members(items, path.replace(/\.$/, '[].'))];
}

test('the arguments of execute_code', () => {
  expect(members(advertiseUnchecked(executeInputSchema)['~standard'].jsonSchema.input({ target: 'draft-2020-12' }))).toEqual([
    'code',
    'input?',
    'session?',
    'dryRun?',
    'limits?',
    'limits.timeoutMs?',
    'limits.waitMs?',
    'limits.fuel?',
    'limits.memoryMb?',
    'limits.maxToolCalls?',
    'limits.servers?',
    'limits.tools?',
    'wait?',
    'answerAfterMs?',
  ]);
});

test('the answer of execute_code', () => {
  expect(members(advertise(executeOutputSchema)['~standard'].jsonSchema.output({ target: 'draft-2020-12' }))).toEqual([
    'status',
    'executionId',
    'waiting?',
    'moreWaiting?',
    'next?',
    'session?',
    'result?',
    'logs',
    'logs[].level',
    'logs[].message',
    'droppedLogBytes?',
    'calls',
    'calls[].server',
    'calls[].tool',
    'calls[].ok',
    'calls[].ms',
    'calls[].code?',
    'calls[].times?',
    'usage',
    'usage.fuel',
    'usage.peakMemoryBytes',
    'usage.activeMs',
    'usage.waitingMs',
    'usage.toolCalls',
    'usage.phases',
    'usage.cache?',
    'kept?',
    'kept[].what',
    'kept[].uri',
    'kept[].bytes',
    'kept[].expiresAt',
    'kept[].shortened',
    'kept[].shortened[].path',
    'kept[].shortened[].shown',
    'kept[].shortened[].of',
    'kept[].shortened[].unit',
    'dryRun?',
    'dryRun[].server',
    'dryRun[].tool',
    'dryRun[].arguments',
    'dryRun[].answer',
    'warnings?',
    'warnings[].code?',
    'warnings[].message',
    'warnings[].location?',
    'warnings[].location.line',
    'warnings[].location.column',
    'warnings[].location.source',
    'warnings[].location.module?',
    'warnings[].tsCode?',
    'error?',
    'error.code',
    'error.message',
    'error.hint?',
    'error.retryAfterMs?',
    'error.location?',
    'error.location.line',
    'error.location.column',
    'error.location.source',
    'error.location.module?',
    'error.stack?',
    'error.stack[].line',
    'error.stack[].column',
    'error.stack[].source',
    'error.stack[].module?',
    'error.diagnostics?',
    'error.diagnostics[].code?',
    'error.diagnostics[].message',
    'error.diagnostics[].location?',
    'error.diagnostics[].location.line',
    'error.diagnostics[].location.column',
    'error.diagnostics[].location.source',
    'error.diagnostics[].location.module?',
    'error.diagnostics[].tsCode?',
  ]);
});

test('the key of a program', () => {
  expect(programKey({ script: 'return 2 + 2', engineHash: '0123456789abcdef'.repeat(4) })).toBe(
    'b3db56493b6f534be9bb7565876e68bb7fc919f1ddd2da53289e5f746cdef0cf',
  );
  expect(programKey({ script: '', engineHash: '' })).toBe('273984ddba8acfeccf050b629e5d92b06edcc8a3919bdbf846c0af01d31a258a');
});

test('what clients are told of the answer', () => {
  const schema = advertise(advertisedOutputSchema)['~standard'].jsonSchema.output({ target: 'draft-2020-12' });
  expect(members(schema)).toEqual([
    'status',
    'executionId',
    'waiting?',
    'next?',
    'session?',
    'result?',
    'logs?',
    'droppedLogBytes?',
    'calls?',
    'usage?',
    'kept?',
    'kept[].what',
    'kept[].uri',
    'kept[].bytes',
    'kept[].expiresAt',
    'kept[].shortened?',
    'dryRun?',
    'warnings?',
    'error?',
    'error.code',
    'error.message',
    'error.hint?',
    'error.retryAfterMs?',
    'error.location?',
    'error.diagnostics?',
    'restIn?',
  ]);
  // Members that it does not name are allowed: clients that hold us to it must not refuse an answer.
  expect(JSON.stringify(schema)).not.toContain('additionalProperties');
});
