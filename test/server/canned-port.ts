import type { Grant } from '../../src/access/principal.ts';
import { createDiscovery } from '../../src/discovery/discovery.ts';
import { SandboxError } from '../../src/errors.ts';
import type { RunOutcome } from '../../src/execute/run.ts';
import { LIMITS } from '../../src/limits.ts';
import type { Limits } from '../../src/limits.ts';
import { advertisedOutputSchema } from '../../src/result/output-schema.ts';
import { presentFailure, presentOutcome } from '../../src/result/present.ts';
import type { AnswerForm, ExecuteRequest, ExecuteResponse, SandboxPort } from '../../src/server/sandbox-port.ts';
import type { Catalog } from '../../src/upstream/catalog.ts';
import type { WrapperSet } from '../../src/wrappers/wrapper-set.ts';
import { CannedExecutions } from './canned-executions.ts';

export const LIMIT_DEFAULTS = Object.fromEntries(Object.entries(LIMITS).map(([name, limit]) => [name, limit.default])) as Limits;

const catalog: Catalog = {
  servers: [
    {
      name: 'github',
      state: 'ready',
      tools: [
        {
          name: 'list_issues',
          description: 'Lists issues',
          inputSchema: { type: 'object', properties: { repo: { type: 'string' } }, required: ['repo'] },
          annotations: { readOnlyHint: true },
        },
      ],
    },
  ],
};

const wrappers: WrapperSet = {
  hash: 'ab'.repeat(32),
  files: new Map(),
  tools: [
    {
      server: 'github',
      tool: 'list_issues',
      folder: 'github',
      functionName: 'listIssues',
      signature: 'listIssues(input: { repo: string }): Promise<unknown>',
      summary: 'Lists issues',
    },
  ],
};

const ASKED = { kind: 'approval', call: 4, server: 'github', tool: 'drop', since: 1_000, approval: 'apr_1', text: 'May it drop?' } as const;

/** An image of one pixel. */
export const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

export interface CannedPort extends SandboxPort {
  readonly requests: ExecuteRequest[];
  /** In whose name it was asked, each time. */
  readonly callers: { principal: string | undefined; grant?: Grant | undefined }[];
  /** Runs that saw their signal fire. */
  readonly aborted: string[];
  /** Runs of the code `job:<id>`, which goes on until the test says a word. */
  readonly executions: CannedExecutions;
  /** The answer of a job that has completed, with `hello` in its log. */
  completes(value: unknown): (executionId: string, form?: AnswerForm) => Promise<ExecuteResponse>;
  describeAs(source: { wrappers: WrapperSet; catalog: Catalog }): void;
}

function outcome(result: string): RunOutcome {
  return {
    end: { status: 'completed', result, state: '' },
    logs: [{ level: 'info', message: 'hello' }],
    droppedLogBytes: 0,
    calls: [{ server: 'github', tool: 'list_issues', ok: true, ms: 3 }],
    usage: { fuel: 10, peakMemoryBytes: 65_536, activeMs: 1, waitingMs: 3, toolCalls: 1 },
    cache: 'hit',
    phases: { queue: 0, component: 0, run: 4 },
  };
}

/** A sandbox that evaluates nothing: the code is the name of what it does. */
export function createCannedPort(): CannedPort {
  const requests: ExecuteRequest[] = [];
  const callers: CannedPort['callers'] = [];
  const aborted: string[] = [];
  let source = { wrappers, catalog };
  const discovery = createDiscovery({ source: () => source });
  const executions = new CannedExecutions();
  const completed = (value: unknown, form?: AnswerForm, executionId = 'exec_1'): Promise<ExecuteResponse> =>
    presentOutcome({
      executionId,
      session: 'ses_test',
      outcome: outcome(value === undefined ? '' : JSON.stringify(value)),
      bundle: { script: '', locate: () => undefined },
      phases: { bundle: 1 },
      limits: LIMIT_DEFAULTS,
      form,
    });
  const refuse = (error: SandboxError, form?: AnswerForm): ExecuteResponse => presentFailure({ executionId: 'exec_1', error, form });
  const untilAborted = (code: string, signal: AbortSignal): Promise<never> =>
    new Promise((_resolve, reject) => {
      const end = (): void => {
        aborted.push(code);
        reject(new SandboxError('ERR_EXECUTE_CANCELLED', 'The run was cancelled.'));
      };
      if (signal.aborted) end();
      else signal.addEventListener('abort', end, { once: true });
    });
  return {
    requests,
    callers,
    aborted,
    executions,
    completes: (value) => (executionId, form) => completed(value, form, executionId),
    waitExecution: (request, options) => {
      callers.push({ principal: options.principal, grant: options.grant });
      return executions.waitExecution(request, options);
    },
    cancelExecution: executions.cancelExecution,
    executionState: executions.executionState,
    listExecutions: executions.listExecutions,
    outputSchema: advertisedOutputSchema,
    refuse,
    readResult: (id, _query, principal) => {
      callers.push({ principal });
      if (id === 'res_x') return { mimeType: 'text/plain', unit: 'bytes', bytes: Buffer.from('kept'), offset: 0, shown: 4, total: 4 };
      throw new SandboxError('ERR_RESULT_UNKNOWN', 'There is no kept result by that id.');
    },
    asks: () => false,
    description: () => ({ ...source, limits: LIMIT_DEFAULTS }),
    listSkills: () => [],
    saveSkill: ({ name }, { principal, grant }) => {
      callers.push({ principal, grant });
      return Promise.resolve({ text: `saved: ${name}`, isError: false });
    },
    search: (request, principal = 'local', grant?: Grant) => {
      callers.push({ principal, grant });
      return discovery.search(request, principal, grant);
    },
    describeAs: (next) => {
      source = next;
    },
    execute: async (request, options) => {
      const { signal, onProgress, form, principal, grant } = options;
      requests.push(request);
      callers.push({ principal, grant });
      const [what = '', count = '0'] = request.code.split(':');
      switch (what) {
        case 'echo':
          return completed(request.input, form);
        case 'job':
          return executions.begin(request, options, count);
        case 'asks':
          // It asks one question, and its result is the answer.
          executions.onAnswer = (id, _approval, answer) =>
            executions.finish(id, 'completed', (executionId, other) => completed(answer, other, executionId));
          setTimeout(() => executions.park(count, [ASKED]), 5);
          return executions.begin(request, options, count);
        case 'wait':
          return untilAborted(request.code, signal);
        case 'sleep':
          await new Promise((resolve) => setTimeout(resolve, Number(count)));
          return completed('slept', form);
        case 'stubborn':
          return new Promise<never>(() => undefined);
        case 'progress':
          for (let step = 1; step <= Number(count); step++) {
            onProgress?.({ message: `step ${step}`, progress: step, total: Number(count) });
            await new Promise((resolve) => setTimeout(resolve, 5));
          }
          return completed(onProgress === undefined ? 'silent' : 'reported', form);
        case 'late-progress':
          setTimeout(() => onProgress?.({ message: 'too late', progress: 99 }), 50);
          return completed('done', form);
        case 'image':
          return completed({ type: 'image', mimeType: 'image/png', data: PNG }, form);
        case 'bad-image':
          return completed({ type: 'image', mimeType: 'image/png', data: PNG, annotations: { lastModified: 'yesterday' } }, form);
        case 'crash':
          throw new Error('ENOENT /secret/place/token.txt');
        case 'busy':
          throw new SandboxError('ERR_EXECUTE_BUSY', 'All 64 places are taken.');
        default:
          return refuse(
            new SandboxError('ERR_BUNDLE_SYNTAX', 'Unexpected token', { location: { line: 1, column: 3, source: request.code } }),
            form,
          );
      }
    },
  };
}
