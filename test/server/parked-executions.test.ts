import { describe, expect, test } from 'vitest';
import type { ApprovalAnswer, ApprovalQuestion, Approver } from '../../src/policy/approval.ts';
import { ParkedExecutions } from '../../src/server/parked-executions.ts';
import type { ApprovalPort, Attached, ParkedCaller, Step } from '../../src/server/parking.ts';
import type { ExecuteResponse } from '../../src/server/sandbox-port.ts';

const ID = 'exe_1';
const YES: ApprovalAnswer = { granted: true };
const CANCEL: ApprovalAnswer = { granted: false, reason: 'dismissed' };

function question(call: number): ApprovalQuestion {
  return { executionId: ID, principal: 'ann', call, server: 's', tool: 't', arguments: {}, text: 'May it?', id: `apr_${call}` };
}

function response(status: string, more: object = {}): ExecuteResponse {
  return { structured: { status, executionId: ID, ...more }, content: [] } as unknown as ExecuteResponse;
}

/** One execution as the sandbox would have it, which asks about one call after the other. */
class AskingExecution {
  readonly answered = new Map<string, ApprovalAnswer>();
  readonly waits: { timeoutMs?: number | undefined; signal: AbortSignal }[] = [];
  cancels = 0;
  readonly #calls: number;
  readonly #clients = new Map<Approver, ReadonlySet<string>>();
  readonly #ended = Promise.withResolvers<ExecuteResponse>();
  #call = 1;
  #withdraw = new AbortController();

  constructor(calls: number) {
    this.#calls = calls;
  }

  readonly approvals: ApprovalPort = {
    answer: (_id, _principal, answers) => {
      for (const [id, answer] of answers) if (answer.granted || answer.reason === 'refused') this.decide(id, answer);
      return Promise.resolve();
    },
    attach: (_id, client, except = new Set()) => {
      this.#clients.set(client, except);
      this.#offer();
      return () => void this.#clients.delete(client);
    },
    open: () => [],
    mintState: (principal, { executionId, round }) => Promise.resolve(`${principal} ${executionId} ${round}`),
    readState: (principal, text) => {
      const [owner, executionId = '', round] = text.split(' ');
      return Promise.resolve(owner === principal ? { executionId, round: Number(round) } : undefined);
    },
  };

  readonly port = {
    waitExecution: ({ timeoutMs }: { timeoutMs?: number }, { signal }: { signal: AbortSignal }): Promise<ExecuteResponse> => {
      this.waits.push({ timeoutMs, signal });
      if (timeoutMs === 0) return Promise.resolve(response('waiting'));
      const left = new Promise<ExecuteResponse>((resolve) => signal.addEventListener('abort', () => resolve(response('waiting'))));
      return Promise.race([this.#ended.promise, left]);
    },
    cancelExecution: (): Promise<ExecuteResponse> => {
      this.cancels++;
      this.#ended.resolve(response('failed'));
      return this.#ended.promise;
    },
  };

  /** The request that begins it. */
  readonly begin = ({ approver, signal }: ParkedCaller): Promise<ExecuteResponse> => {
    signal.addEventListener('abort', () => void this.port.cancelExecution());
    this.#clients.set(approver, new Set());
    this.#offer();
    return this.#ended.promise;
  };

  decide(id: string, answer: ApprovalAnswer): void {
    if (this.answered.has(id) || id !== `apr_${this.#call}`) return;
    this.answered.set(id, answer);
    this.#withdraw.abort();
    this.#withdraw = new AbortController();
    this.#call++;
    this.#offer();
  }

  #offer(): void {
    if (this.#call > this.#calls) {
      const result = [...this.answered.values()].map(({ granted }) => granted);
      this.#ended.resolve(response('completed', { result }));
      return;
    }
    const asked = question(this.#call);
    const clients = [...this.#clients].filter(([, except]) => !except.has(`apr_${this.#call}`));
    for (const [client] of clients) void client.ask(asked, this.#withdraw.signal);
  }
}

const attached = (more: Partial<Attached> = {}): Attached & { cancel: AbortController } => {
  const cancel = new AbortController();
  return { signal: cancel.signal, cancel, ...more };
};
const parking = (execution: AskingExecution, closing = new AbortController()): ParkedExecutions =>
  new ParkedExecutions(execution.port, execution.approvals, closing.signal);
const stateOf = (step: Step): string => ('state' in step ? step.state : '');
const askedIn = (step: Step): string[] => ('questions' in step ? [...step.questions.keys()] : []);
const statusOf = (step: Step): unknown => ('response' in step ? step.response.structured.status : 'asking');

describe('an execution that asks a client', () => {
  test('is asked for under a name, and goes on with the answers by the ids of the questions', async () => {
    const execution = new AskingExecution(2);
    const parked = parking(execution);
    const first = await parked.start('ann', attached(), execution.begin);
    expect([stateOf(first), askedIn(first)]).toEqual([`ann ${ID} 1`, ['apr_1']]);
    const second = await parked.resume('ann', stateOf(first), new Map([['apr_1', YES]]), attached());
    expect([stateOf(second), askedIn(second)]).toEqual([`ann ${ID} 2`, ['apr_2']]);
    const end = await parked.resume('ann', stateOf(second), new Map([['apr_2', YES]]), attached());
    expect(end).toMatchObject({ response: { structured: { result: [true, true] } } });
  });

  test('is found by a server that has just started', async () => {
    const execution = new AskingExecution(1);
    const state = stateOf(await parking(execution).start('ann', attached(), execution.begin));
    const again = parking(execution);
    await again.demand('ann', state);
    expect(statusOf(await again.resume('ann', state, new Map([['apr_1', YES]]), attached()))).toBe('completed');
    expect(statusOf(await again.resume('ann', state, new Map([['apr_1', YES]]), attached()))).toBe('completed');
  });

  test('is nothing to another principal', async () => {
    const execution = new AskingExecution(1);
    const parked = parking(execution);
    const state = stateOf(await parked.start('ann', attached(), execution.begin));
    await expect(parked.demand('ben', state)).rejects.toMatchObject({ code: 'ERR_CALL_APPROVAL' });
    await expect(parked.resume('ben', state, new Map([['apr_1', YES]]), attached())).rejects.toMatchObject({ code: 'ERR_CALL_APPROVAL' });
    expect(execution.answered.size).toBe(0);
  });

  test('is asked about again by a client that comes back without an answer', async () => {
    const execution = new AskingExecution(1);
    const parked = parking(execution);
    const state = stateOf(await parked.start('ann', attached(), execution.begin));
    expect(askedIn(await parked.resume('ann', state, new Map(), attached()))).toEqual(['apr_1']);
  });

  test('answers at once what it waits for when the form was closed, and does not ask the same again', async () => {
    const execution = new AskingExecution(1);
    const parked = parking(execution);
    const state = stateOf(await parked.start('ann', attached(), execution.begin));
    expect(statusOf(await parked.resume('ann', state, new Map([['apr_1', CANCEL]]), attached()))).toBe('waiting');
    expect(execution.waits.at(-1)?.timeoutMs).toBe(0);
    expect(execution.answered.size).toBe(0);
  });

  test('asks ten times in a row, and then says what it waits for: clients go along with no more', async () => {
    const execution = new AskingExecution(12);
    const parked = parking(execution);
    let step = await parked.start('ann', attached(), execution.begin);
    let rounds = 1;
    for (; 'state' in step; rounds++) step = await parked.resume('ann', stateOf(step), new Map([[`apr_${rounds}`, YES]]), attached());
    expect([rounds, statusOf(step)]).toEqual([11, 'waiting']);
    expect(execution.answered.size).toBe(10);
  });

  test('that says early that it waits for a person is asked about first', async () => {
    const execution = new AskingExecution(1);
    const begin = (caller: ParkedCaller): Promise<ExecuteResponse> => {
      void execution.begin(caller);
      return Promise.resolve(response('waiting'));
    };
    expect(askedIn(await parking(execution).start('ann', attached(), begin))).toEqual(['apr_1']);
    const asksNothing = (): Promise<ExecuteResponse> => Promise.resolve(response('waiting'));
    expect(statusOf(await parking(execution).start('ann', attached(), asksNothing))).toBe('waiting');
  });
});

describe('a client that goes', () => {
  test('ends the run while it has a request, and not between requests', async () => {
    const execution = new AskingExecution(2);
    const parked = parking(execution);
    const first = attached();
    const state = stateOf(await parked.start('ann', first, execution.begin));
    first.cancel.abort();
    expect(execution.cancels).toBe(0);
    const second = attached();
    // Nobody answers the second question: it is followed until its client goes.
    const following = parked.resume('ann', state, new Map([['apr_1', YES]]), { ...second });
    second.cancel.abort();
    await following;
    expect(execution.cancels).toBe(1);
  });

  test('and only waited for the run leaves it alone', async () => {
    const execution = new AskingExecution(2);
    const parked = parking(execution);
    const state = stateOf(await parked.start('ann', attached(), execution.begin));
    const client = attached({ isWait: true });
    client.cancel.abort();
    await parked.resume('ann', state, new Map(), client);
    expect(execution.cancels).toBe(0);
  });

  test('because the server closes leaves it alone', async () => {
    const closing = new AbortController();
    const execution = new AskingExecution(2);
    const parked = parking(execution, closing);
    const client = attached();
    const asked = parked.start('ann', client, ({ signal }) => {
      signal.addEventListener('abort', () => void execution.port.cancelExecution());
      return execution.port.waitExecution({}, { signal: closing.signal });
    });
    closing.abort();
    client.cancel.abort();
    expect(statusOf(await asked)).toBe('waiting');
    expect(execution.cancels).toBe(0);
  });

  test('with questions on its screen is waited for no longer', async () => {
    const execution = new AskingExecution(2);
    const parked = parking(execution);
    const first = stateOf(await parked.start('ann', attached(), execution.begin));
    await parked.resume('ann', first, new Map([['apr_1', YES]]), attached());
    expect(execution.waits.map(({ signal }) => signal.aborted)).toEqual([true]);
  });
});
