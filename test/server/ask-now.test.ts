import type { ServerContext } from '@modelcontextprotocol/server';
import { describe, expect, test } from 'vitest';
import type { ApprovalAnswer, ApprovalQuestion } from '../../src/policy/approval.ts';
import { answerIn } from '../../src/server/approval-form.ts';
import { askWhileOpen } from '../../src/server/ask-now.ts';
import type { ExecuteOptions, ExecuteResponse } from '../../src/server/sandbox-port.ts';

const never = new AbortController().signal;

function question(call: number, id: string | undefined = `apr_${call}`): ApprovalQuestion {
  return { executionId: 'exe_1', principal: 'ann', call, server: 's', tool: 't', arguments: {}, text: `May call ${call}?`, id };
}

function response(status: string): ExecuteResponse {
  return { structured: { status, executionId: 'exe_1' }, content: [] } as unknown as ExecuteResponse;
}

/** A request whose client says these things, in order, and shows what it was asked. */
function request(...said: object[]) {
  const shown: string[] = [];
  const client = new AbortController();
  const elicitInput = ({ message }: { message: string }): Promise<object> => {
    shown.push(message);
    const next = said.shift();
    return next === undefined ? new Promise(() => undefined) : Promise.resolve(next);
  };
  const ctx = { mcpReq: { elicitInput, signal: client.signal } } as unknown as ServerContext;
  const waits: unknown[] = [];
  const port = { waitExecution: (wait: unknown) => (waits.push(wait), Promise.resolve(response('waiting'))) };
  const run = (work: (caller: ExecuteOptions) => Promise<ExecuteResponse>): Promise<ExecuteResponse> =>
    askWhileOpen(ctx, port, { signal: client.signal }, work);
  return { run, shown, waits, client };
}

const asking =
  (...questions: ApprovalQuestion[]) =>
  async ({ approver }: ExecuteOptions): Promise<ExecuteResponse> => {
    const answers = await Promise.all(questions.map((one) => approver!.ask(one, never)));
    const isDone = answers.every((answer) => answer.granted || answer.reason === 'refused');
    return isDone ? response('completed') : new Promise(() => undefined);
  };

describe('over an open request', () => {
  test('one question is asked after the other, and the run is answered when it has ended', async () => {
    const { run, shown } = request({ action: 'accept', content: { approve: true } }, { action: 'decline' });
    expect((await run(asking(question(1), question(2)))).structured.status).toBe('completed');
    expect(shown).toEqual(['May call 1?', 'May call 2?']);
  });

  test('a form that was closed answers the request with what the run waits for, and the client ends nothing after that', async () => {
    const { run, waits, client } = request({ action: 'cancel' });
    let signal: AbortSignal | undefined;
    const answered = await run((caller) => ((signal = caller.signal), asking(question(1))(caller)));
    expect(answered.structured.status).toBe('waiting');
    expect(waits).toEqual([{ executionId: 'exe_1', timeoutMs: 0 }]);
    client.abort();
    expect(signal?.aborted).toBe(false);
  });

  test('not while another form is shown', async () => {
    const { run, shown, client } = request({ action: 'cancel' });
    let signal: AbortSignal | undefined;
    void run((caller) => ((signal = caller.signal), asking(question(1), question(2))(caller)));
    await expect.poll(() => shown).toHaveLength(2);
    client.abort();
    expect(signal?.aborted).toBe(true);
  });

  test('not where nothing is kept: then the run hears that nobody has answered', async () => {
    const { run } = request({ action: 'cancel' });
    const { id: _id, ...unkept } = question(1);
    const heard: ApprovalAnswer[] = [];
    const answered = await run(async ({ approver }) => (heard.push(await approver!.ask(unkept, never)), response('failed')));
    expect([answered.structured.status, heard]).toEqual(['failed', [{ granted: false, reason: 'dismissed' }]]);
  });

  test('a run that fails does so for the request', async () => {
    await expect(request().run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  });
});

test.each<[object | null | string, ApprovalAnswer]>([
  [{ action: 'accept', content: { approve: true } }, { granted: true }],
  [
    { action: 'accept', content: { approve: false } },
    { granted: false, reason: 'refused' },
  ],
  [
    { action: 'accept', content: { approve: 'true' } },
    { granted: false, reason: 'refused' },
  ],
  [
    { action: 'accept', content: null },
    { granted: false, reason: 'refused' },
  ],
  [
    { action: 'decline', content: { approve: true } },
    { granted: false, reason: 'refused' },
  ],
  [
    { action: 'cancel', content: { approve: true } },
    { granted: false, reason: 'dismissed' },
  ],
  [
    { action: 'approve', content: { approve: true } },
    { granted: false, reason: 'dismissed' },
  ],
  [{}, { granted: false, reason: 'dismissed' }],
  [null, { granted: false, reason: 'dismissed' }],
  ['yes', { granted: false, reason: 'dismissed' }],
])('%j is what it is', (said, expected) => {
  expect(answerIn(said)).toEqual(expected);
});
