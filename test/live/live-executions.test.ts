import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { SandboxError } from '../../src/errors.ts';
import { untilAnswered } from '../../src/live/early-answer.ts';
import type { LiveExecution } from '../../src/live/live-execution.ts';
import { LiveExecutions, type LiveExecutionsOptions } from '../../src/live/live-executions.ts';
import { presentFailure, type ExecuteResponse } from '../../src/result/present.ts';

const REASONS = [{ kind: 'timer', at: 5 }] as const;
const CLOSING = new SandboxError('ERR_SERVER_CLOSING', 'The server is shutting down.');
const NEVER = { afterMs: Infinity, isWhenWaiting: false };
const OPEN = new AbortController().signal;

let numbers = 0;

function registry(options: Partial<LiveExecutionsOptions> = {}): LiveExecutions {
  return new LiveExecutions({ maxWaitingRuns: 10, localPrincipal: 'local', ...options });
}

interface Begun {
  readonly execution: LiveExecution;
  /** Ends it with an answer that says so. */
  readonly end: () => void;
  /** Why it was told to end. */
  readonly aborted: Promise<unknown>;
}

/** An execution that ends when the test says so, or with its signal. */
function begin(live: LiveExecutions, principal = 'local', more: { credential?: string; isKept?: boolean } = {}): Begun {
  const ended = Promise.withResolvers<ExecuteResponse>();
  const aborted = Promise.withResolvers<unknown>();
  const executionId = `exe_${++numbers}`;
  const answer = (code: 'ERR_EXECUTE_CANCELLED' | 'ERR_EXECUTE_THROWN'): void =>
    ended.resolve(presentFailure({ executionId, error: new SandboxError(code, 'It has ended.') }));
  const info = { executionId, principal, credential: more.credential, createdAt: 1 };
  const execution = live.begin(info, ({ signal }) => {
    const abort = (): void => {
      aborted.resolve(signal.reason);
      answer('ERR_EXECUTE_CANCELLED');
    };
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    return ended.promise;
  });
  if (more.isKept !== false) execution.keep();
  return { execution, end: () => answer('ERR_EXECUTE_THROWN'), aborted: aborted.promise };
}

const codeOf = (response: ExecuteResponse | undefined): string | undefined => response?.structured.error?.code;

describe('the answer to a request', () => {
  test('is that of the run when it has ended', async () => {
    const { execution, end } = begin(registry());
    const answered = untilAnswered(execution, OPEN, NEVER);
    end();
    expect(codeOf(await answered)).toBe('ERR_EXECUTE_THROWN');
  });

  test('comes early after the time, and from then on the request does not end the run', async () => {
    const live = registry();
    const { execution, end } = begin(live);
    const request = new AbortController();
    expect(await untilAnswered(execution, request.signal, { afterMs: 1, isWhenWaiting: false })).toBeUndefined();
    request.abort();
    expect(live.find(execution.executionId, 'local')).toBe(execution);
    end();
    expect(codeOf(await execution.response)).toBe('ERR_EXECUTE_THROWN');
    await Promise.resolve();
    expect(live.size).toBe(0);
  });

  test('comes early when the run waits, if that is asked for, and tells for what', async () => {
    const { execution } = begin(registry());
    const answered = untilAnswered(execution, OPEN, { afterMs: Infinity, isWhenWaiting: true });
    execution.waits(REASONS);
    expect([await answered, execution.status, execution.reasons]).toEqual([undefined, 'waiting', REASONS]);
    execution.waits(undefined);
    expect([execution.status, execution.reasons]).toEqual(['running', []]);
  });

  test('names the tools that have not answered of a run that is not put away', async () => {
    const { execution } = begin(registry());
    const answer = Promise.withResolvers<{ ok: true; value: string }>();
    const call = { executionId: execution.executionId, number: 3, server: 'a', tool: 'b', arguments: '{}' };
    const asked = execution.noting(() => answer.promise)(call, OPEN);
    expect(execution.reasons).toMatchObject([{ kind: 'tool', call: 3, server: 'a', tool: 'b' }]);
    answer.resolve({ ok: true, value: '1' });
    await asked;
    expect(execution.reasons).toEqual([]);
  });

  test('never comes early for a run that is not kept', async () => {
    const { execution, end } = begin(registry(), 'local', { isKept: false });
    const answered = untilAnswered(execution, OPEN, { afterMs: 0, isWhenWaiting: true });
    execution.waits(REASONS);
    await sleep(5);
    end();
    expect(codeOf(await answered)).toBe('ERR_EXECUTE_THROWN');
  });

  test('is early when the server ends, and a run that is not kept ends with it', async () => {
    const [kept, loose] = [begin(registry()), begin(registry(), 'local', { isKept: false })];
    const closing = new AbortController();
    const answers = [kept, loose].map(({ execution }) => untilAnswered(execution, closing.signal, NEVER));
    closing.abort(CLOSING);
    expect((await Promise.all(answers)).map(codeOf)).toEqual([undefined, 'ERR_EXECUTE_CANCELLED']);
  });

  test('does not say that a run goes on which ended with the server before it was written down', async () => {
    const { execution } = begin(registry(), 'local', { isKept: false });
    const closing = new AbortController();
    const answered = untilAnswered(execution, closing.signal, { afterMs: 0, isWhenWaiting: false });
    await sleep(5);
    closing.abort(CLOSING);
    execution.keep();
    expect(codeOf(await answered)).toBe('ERR_EXECUTE_CANCELLED');
  });

  test('is none when its caller goes: then the run ends', async () => {
    const { execution, aborted } = begin(registry());
    const request = new AbortController();
    const answered = untilAnswered(execution, request.signal, { afterMs: Infinity, isWhenWaiting: true });
    request.abort('gone');
    expect(await aborted).toBe('gone');
    expect(codeOf(await answered)).toBe('ERR_EXECUTE_CANCELLED');
  });
});

describe('what executions keep in memory until they have ended', () => {
  const held = (live: LiveExecutions, principal: string, bytes: number, isNew = true): Begun & { readonly code: string | undefined } => {
    const begun = begin(live, principal);
    try {
      live.hold(begun.execution, bytes, isNew);
      return { ...begun, code: undefined };
    } catch (error) {
      begun.end();
      return { ...begun, code: (error as SandboxError).code };
    }
  };

  test('is three times what is left at most, just under and not just over; others find room, and so does who ends some', async () => {
    const live = registry({ maxHeldBytes: 400 });
    const first = held(live, 'eve', 250);
    expect([first.code, held(live, 'eve', 51).code, held(live, 'eve', 50).code, held(live, 'eve', 1).code]).toEqual([
      undefined,
      'ERR_EXECUTION_FULL',
      undefined,
      'ERR_EXECUTION_FULL',
    ]);
    expect([held(live, 'ann', 76).code, held(live, 'ann', 75).code]).toEqual(['ERR_EXECUTION_FULL', undefined]);
    first.end();
    await first.execution.response;
    await Promise.resolve();
    expect(held(live, 'eve', 100).code).toBeUndefined();
  });

  test('refuses none that goes on after a restart', () => {
    const live = registry({ maxHeldBytes: 100 });
    expect([held(live, 'eve', 1_000, false).code, held(live, 'eve', 1).code]).toEqual([undefined, 'ERR_EXECUTION_FULL']);
  });

  test('is said with the bound and what is to be done', () => {
    const live = registry({ maxHeldBytes: 100 });
    const { execution } = begin(live, 'eve');
    expect(() => live.hold(execution, 80, true)).toThrow(/"eve" take 0 bytes of the 100 that all may.*80 more/);
  });
});

describe('runs that wait', () => {
  const isFull = (live: LiveExecutions, principal: string): boolean => {
    try {
      live.admit(principal);
      return false;
    } catch (error) {
      return (error as SandboxError).code === 'ERR_EXECUTION_FULL';
    }
  };
  const wait = (live: LiveExecutions, principal: string, count: number): Begun[] => {
    const begun = Array.from({ length: count }, () => begin(live, principal));
    for (const { execution } of begun) execution.waits(REASONS);
    return begun;
  };

  test('keep others out from the limit on, until one goes on', () => {
    const live = registry();
    const [one] = wait(live, 'local', 9);
    expect(isFull(live, 'local')).toBe(false);
    wait(live, 'local', 1);
    expect([isFull(live, 'local'), isFull(live, 'key:a')]).toEqual([true, true]);
    one?.execution.waits(undefined);
    expect(isFull(live, 'local')).toBe(false);
  });

  test('of one principal leave room for others', () => {
    const live = registry();
    wait(live, 'key:a', 4);
    expect(isFull(live, 'key:a')).toBe(false);
    wait(live, 'key:a', 1);
    expect([isFull(live, 'key:a'), isFull(live, 'key:b')]).toEqual([true, false]);
    wait(live, 'key:b', 2);
    expect([isFull(live, 'key:b'), isFull(live, 'key:c')]).toEqual([false, false]);
    wait(live, 'key:b', 1);
    expect([isFull(live, 'key:b'), isFull(live, 'key:c')]).toEqual([true, false]);
  });

  test('do not count any more when they have ended', async () => {
    const live = registry();
    const begun = wait(live, 'local', 10);
    for (const { end } of begun) end();
    await Promise.all(begun.map(({ execution }) => execution.response));
    expect(isFull(live, 'local')).toBe(false);
  });
});

describe('an execution', () => {
  test('is unknown to everybody but its principal', () => {
    const live = registry();
    const { execution } = begin(live, 'key:a');
    expect([live.find(execution.executionId, 'key:a'), live.find(execution.executionId, 'key:b')]).toEqual([execution, undefined]);
  });

  test('ends when its key is revoked, with a request or without', async () => {
    const revoked = new Set<string>();
    const live = registry({ isRevoked: (credential) => revoked.has(credential), lookMs: 1 });
    const [gone, stays] = [begin(live, 'key:a', { credential: 'key_1' }), begin(live, 'key:a', { credential: 'key_2' })];
    revoked.add('key_1');
    expect(codeOf(await gone.execution.response)).toBe('ERR_EXECUTE_CANCELLED');
    expect(live.size).toBe(1);
    stays.end();
    await stays.execution.response;
  });

  test('ends at once when the operator has asked for it before it was begun here', async () => {
    const live = registry();
    live.cancel(`exe_${numbers + 1}`);
    expect(codeOf(await begin(live).execution.response)).toBe('ERR_EXECUTE_CANCELLED');
  });

  test('is let go of when the sandbox closes, and none begins after that', async () => {
    const live = registry();
    const { execution, aborted } = begin(live);
    await live.close(CLOSING);
    expect([await aborted, execution.isLeft]).toEqual([CLOSING, true]);
    expect(await begin(live).aborted).toBe(CLOSING);
  });

  test('is not let go of when it was cancelled before: it ends here, and nobody goes on with it', async () => {
    const live = registry();
    const ending = Promise.withResolvers<ExecuteResponse>();
    const execution = live.begin({ executionId: 'exe_slow', principal: 'local', createdAt: 1 }, () => ending.promise);
    execution.keep();
    execution.cancel();
    const closed = live.close(CLOSING);
    expect(execution.isLeft).toBe(false);
    ending.resolve(presentFailure({ executionId: 'exe_slow', error: new SandboxError('ERR_EXECUTE_CANCELLED', 'It has ended.') }));
    await closed;
  });
});
