import { policiesSchema, type Policies } from '../../src/config/policy-schema.ts';
import type { ToolAnswer, ToolCall } from '../../src/execute/run.ts';
import { LIMITS, type Limits } from '../../src/limits.ts';
import type { Approver } from '../../src/policy/approval.ts';
import { createPolicing, type Policing } from '../../src/policy/policing.ts';
import type { RunPolicies } from '../../src/policy/run-policies.ts';
import { toolCalls } from '../../src/run/tool-calls.ts';
import { createArgumentValidator } from '../../src/upstream/arguments.ts';
import type { UpstreamCall } from '../../src/upstream/call.ts';
import type { Catalog, CatalogTool } from '../../src/upstream/catalog.ts';

/** The `policies` of a config, with all defaults. */
export function policies(input: unknown = {}): Policies {
  return policiesSchema.parse(input);
}

/** A tool that takes anything. */
export function tool(name: string, more: Partial<CatalogTool> = {}): CatalogTool {
  return { name, inputSchema: { type: 'object' }, ...more };
}

export const LIMIT_VALUES = Object.fromEntries(Object.entries(LIMITS).map(([name, limit]) => [name, limit.default])) as Limits;

export function catalogOf(servers: Readonly<Record<string, readonly CatalogTool[]>>): Catalog {
  return { servers: Object.entries(servers).map(([name, tools]) => ({ name, state: 'ready', tools })) };
}

export interface Desk {
  readonly policing: Policing;
  /** Every call that reached an upstream server. */
  readonly sent: UpstreamCall[];
  readonly begin: (run?: BeginOptions) => DeskRun;
}

export interface BeginOptions {
  readonly principal?: string;
  readonly tools?: Record<string, number>;
  readonly servers?: readonly string[];
  readonly dryRun?: boolean;
  readonly approver?: Approver;
  readonly learned?: object;
}

export interface DeskRun {
  readonly policies: RunPolicies;
  /** Calls a tool as a program does. */
  readonly call: (name: `${string}.${string}`, args?: unknown) => Promise<ToolAnswer>;
}

/** The gateway's side of runs over servers that are not there: `answer` says what they answer. */
export function desk(
  given: unknown,
  servers: Readonly<Record<string, readonly CatalogTool[]>>,
  answer: (call: UpstreamCall) => unknown = () => null,
): Desk {
  const policing = createPolicing({ policies: policies(given), ttlMs: 3_600_000 });
  const catalog = catalogOf(servers);
  const sent: UpstreamCall[] = [];
  const upstreams = {
    catalog: () => catalog,
    call: async (call: UpstreamCall): Promise<ToolAnswer> => {
      sent.push(call);
      await Promise.resolve();
      const value = answer(call);
      return value instanceof Error
        ? { ok: false, error: { code: 'ERR_CALL_TOOL', message: value.message } }
        : { ok: true, value: JSON.stringify(value) };
    },
  } as unknown as Parameters<typeof toolCalls>[0]['upstreams'];
  const begin = ({ principal = 'local', tools, servers: only, dryRun, approver, learned }: BeginOptions = {}): DeskRun => {
    const run = policing.begin({ principal, tools, dryRun, catalog });
    const learner = { learnedSchema: () => learned };
    const stages = { upstreams, validateArguments: createArgumentValidator(), limits: LIMIT_VALUES, learner };
    const answerCall = toolCalls(stages, { policies: run, principal, servers: only, approver, program: { code: 'return 1;', hash: 'ab' } });
    let number = 0;
    const call: DeskRun['call'] = (name, args = {}) => {
      const dot = name.indexOf('.');
      const request: ToolCall = {
        executionId: 'exe_1',
        number: number++,
        server: name.slice(0, dot),
        tool: name.slice(dot + 1),
        arguments: JSON.stringify(args),
      };
      return answerCall(request, new AbortController().signal);
    };
    return { policies: run, call };
  };
  return { policing, sent, begin };
}

/** The code of a failed answer; "ok" for the others. */
export function codeOf(answer: ToolAnswer): string {
  return answer.ok ? 'ok' : answer.error.code;
}

/** All that a failed answer says. */
export function wordsOf(answer: ToolAnswer): string {
  return answer.ok ? '' : `${answer.error.message} ${answer.error.hint ?? ''}`;
}
