import type { Audit } from '../audit/audit.ts';
import type { OnCall } from '../execute/run-handle.ts';
import type { ToolAnswer, ToolCall } from '../execute/run.ts';
import type { ExecutionSummary } from '../execution/execution-store.ts';
import { NOBODY, type ApprovalAnswer, type Approver } from '../policy/approval.ts';
import type { Hide } from '../policy/personal-data.ts';
import type { Call } from './run-parts.ts';
import type { ExecuteRequest, ExecuteResponse } from '../server/sandbox-port.ts';
import { sessionId } from '../session/handle.ts';

export interface AuditedRun {
  readonly executionId: string;
  readonly principal: string;
  readonly request: ExecuteRequest;
  /** Milliseconds since 1970, for one that began in an earlier process. */
  readonly createdAt?: number | undefined;
  /** Takes personal data out of values. */
  readonly policies: { readonly hide: Hide | undefined };
}

/** Longer JSON texts are not looked through for values: only their length is told. */
const MAX_VALUE_CHARS = 64 * 1024;

/** What the audit hears of one run. Where nobody wants an audit nothing is done. */
export class RunAudit {
  readonly #audit: Audit;
  readonly #run: AuditedRun;
  readonly #began: number;
  readonly #program: string;
  /** How a person was asked, by number of the call. */
  readonly #asked = new Map<number, ApprovalAnswer>();

  constructor(audit: Audit, run: AuditedRun) {
    [this.#audit, this.#run] = [audit, run];
    this.#began = performance.now() - (run.createdAt === undefined ? 0 : Math.max(0, Date.now() - run.createdAt));
    this.#program = audit.isOff ? '' : audit.hash(run.request.code);
  }

  /** @throws SandboxError ERR_AUDIT_STORE where no run may start unrecorded, and this one cannot be recorded */
  begin(): Promise<void> {
    return this.#audit.begin({ kind: 'begin', ...this.#base(), program: this.#program });
  }

  /** The same answers to tool calls, each recorded. */
  calls(onCall: OnCall): OnCall {
    if (this.#audit.isOff) return onCall;
    return async (call, signal) => {
      const began = performance.now();
      let answer: ToolAnswer | undefined;
      try {
        return (answer = await onCall(call, signal));
      } finally {
        this.#recordCall(call, answer, performance.now() - began);
      }
    };
  }

  /** The same answers of a person, recorded with the call. */
  asking(approver: Approver = NOBODY): Approver {
    if (this.#audit.isOff) return approver;
    return {
      ask: async (question, signal) => {
        const answer = await approver.ask(question, signal);
        this.#asked.set(question.call, answer);
        return answer;
      },
    };
  }

  /** The same answer to the run, recorded. */
  end(response: ExecuteResponse): ExecuteResponse {
    if (this.#audit.isOff) return response;
    const { status, error, usage, session, result } = response.structured;
    this.#audit.record({
      kind: 'run',
      ...this.#base(),
      session: session === undefined ? undefined : sessionId(session),
      program: this.#program,
      code: status === 'failed' ? (error?.code ?? 'ERR_INTERNAL') : undefined,
      ms: thousandths(performance.now() - this.#began),
      fuel: usage.fuel,
      calls: usage.toolCalls,
      values: this.#values(({ request }) => ({
        program: JSON.stringify(request.code),
        input: JSON.stringify(request.input),
        result: JSON.stringify(result),
      })),
    });
    return response;
  }

  #recordCall({ number, server, tool, arguments: args }: ToolCall, answer: ToolAnswer | undefined, ms: number): void {
    const asked = this.#asked.get(number);
    this.#audit.record({
      kind: 'call',
      ...this.#base(),
      server,
      tool,
      arguments: this.#audit.hash(args),
      code: answer === undefined ? 'ERR_INTERNAL' : answer.ok ? undefined : answer.error.code,
      ms: thousandths(ms),
      ...(asked && this.#approval(asked)),
      values: this.#values(() => ({
        arguments: args,
        answer: answer && (answer.ok ? answer.value : JSON.stringify(answer.error.message)),
      })),
    });
  }

  /** Either the operator, or whoever has the principal's client. */
  #approval(answer: ApprovalAnswer): { approval: string; approvedBy?: string } {
    const reason = answer.granted ? 'granted' : answer.reason;
    const isAnswered = reason === 'granted' || reason === 'refused';
    const approvedBy = answer.by === 'operator' ? answer.by : this.#run.principal;
    return { approval: reason, ...(isAnswered && { approvedBy }) };
  }

  #base(): { principal: string; execution: string; dryRun: true | undefined } {
    const { principal, executionId, request } = this.#run;
    return { principal, execution: executionId, dryRun: request.dryRun === true ? true : undefined };
  }

  /** JSON texts as they may be shown; undefined where the operator wants none. */
  #values(texts: (run: AuditedRun) => Readonly<Record<string, string | undefined>>): Record<string, string> | undefined {
    const { values } = this.#audit;
    if (values === undefined) return undefined;
    const found = Object.entries(texts(this.#run)).flatMap(([name, json]) =>
      json === undefined ? [] : [[name, values(this.#hidden(json))]],
    );
    return Object.fromEntries(found) as Record<string, string>; // pairs of two texts, just above
  }

  #hidden(json: string): string {
    const { hide } = this.#run.policies;
    if (hide === undefined || json.length > MAX_VALUE_CHARS) return json;
    try {
      return JSON.stringify(hide.value(JSON.parse(json)));
    } catch {
      return hide.text(json);
    }
  }
}

/** An execution that ends without its being run in this process. */
export interface UnrunEnd {
  readonly executionId: string;
  readonly code: string | undefined;
  /** Its request; absent where that cannot be read. */
  readonly call?: Pick<Call, 'request' | 'options' | 'createdAt'> | undefined;
  /** Its line in the list, where something has run or the request cannot be read. */
  readonly summary?: Pick<ExecutionSummary, 'principal' | 'createdAt' | 'endedAt' | 'fuel' | 'toolCalls'> | undefined;
}

/** Records the end of one that is given up, that cannot be read, or that ended in a process that did not live to record it. */
export function recordUnrunEnd(audit: Audit, { executionId, code, call, summary }: UnrunEnd): void {
  if (audit.isOff) return;
  const createdAt = call?.createdAt ?? summary?.createdAt;
  audit.record({
    kind: 'run',
    principal: call?.options.principal ?? summary?.principal,
    execution: executionId,
    dryRun: call?.request.dryRun === true ? true : undefined,
    program: call && audit.hash(call.request.code),
    code,
    ms: createdAt === undefined ? undefined : Math.max(0, (summary?.endedAt ?? Date.now()) - createdAt),
    fuel: summary?.fuel ?? 0,
    calls: summary?.toolCalls ?? 0,
  });
}

function thousandths(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
