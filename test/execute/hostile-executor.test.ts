import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { SupervisedExecutor } from '../../src/execute/supervised-executor.ts';
import { living } from '../e2e/processes.ts';
import { isHibernated } from '../../src/execute/hibernated-run.ts';
import type { RunFrom, ToolAnswer, ToolCall } from '../../src/execute/run.ts';
import { listen, requestOf } from '../support/carry.ts';
import { codeOf, memoryStore, runBody, testInit, type RunOptions } from '../support/executor.ts';

/** The executor was taken over: whatever it says, the gateway lives, ends it in time, and every run ends with a code. */

const MIB = 1024 * 1024;
const entry = fileURLToPath(new URL('../fixtures/executors/hostile.ts', import.meta.url));
const open: SupervisedExecutor[] = [];
afterAll(() => Promise.all(open.map((executor) => executor.close())));

let peak = 0;
const measuring = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 50);
afterAll(() => clearInterval(measuring));

interface Attack {
  readonly executor: SupervisedExecutor;
  readonly warnings: string[];
  readonly debug: string[];
}

function start(what: string, startMs = 20_000): Attack {
  const [warnings, debug]: string[][] = [[], []];
  const log = { debug: (message: string) => void debug?.push(message), warn: (message: string) => void warnings?.push(message) };
  const program = { entry, flags: [`--title=${what}`] };
  const bounds = { maxMemoryBytes: 400 * MIB, longestBackOffMs: 200, startMs };
  const executor = new SupervisedExecutor({ init: testInit(), programs: memoryStore(), log, program, ...bounds });
  open.push(executor);
  return { executor, warnings: warnings ?? [], debug: debug ?? [] };
}

function ending(executor: SupervisedExecutor, options?: RunOptions): Promise<string> {
  return runBody(executor, 'return 1', options).then(codeOf, (error: { code?: string }) => error.code ?? 'no code');
}

interface Fate {
  readonly code: string;
  /** Why the process was ended, for the log. */
  readonly reason: string | undefined;
  readonly memory: string;
  /** Processes of it that are still there. */
  readonly left: readonly number[];
}

/** How an attempt ends: one of a run that may be put away, or of one that was. */
function endingOfAttempt(executor: SupervisedExecutor, from?: RunFrom): Promise<string> {
  const request = { ...requestOf('return 1', { hibernation: { maxImageBytes: 10_000 } }), ...(from && { from }) };
  const call = ({ number }: ToolCall): Promise<ToolAnswer> =>
    number === 1 ? Promise.resolve({ ok: true, value: '1' }) : new Promise(() => undefined);
  const end = executor.attempt(request, listen({ call }), new AbortController().signal);
  return end.then(
    (how) => (isHibernated(how) ? 'put away' : codeOf(how)),
    (error: { code?: string }) => error.code ?? 'no code',
  );
}

const asleep = (): RunFrom => ({ kind: 'image', image: new Uint8Array(100), now: Date.now(), pending: [1], lastCall: 1 });

/** How a run ends, and what is left. */
async function fateOf({ executor, warnings }: Attack, end: (executor: SupervisedExecutor) => Promise<string> = ending): Promise<Fate> {
  const seen = new Set<number>();
  const watch = setInterval(() => executor.pid !== undefined && seen.add(executor.pid), 5);
  const before = process.memoryUsage.rss();
  peak = before;
  const code = await end(executor);
  clearInterval(watch);
  await executor.close();
  const grown = Math.round((peak - before) / MIB);
  return { code, reason: warnings[0], memory: grown < 600 ? 'bounded' : `${grown} MiB`, left: living([...seen]) };
}

/** The run ends as lost, and the process that it was on is gone. */
function lost(reason: RegExp): Fate {
  return { code: 'ERR_EXECUTE_LOST', reason: expect.stringMatching(reason) as string, memory: 'bounded', left: [] };
}

describe.concurrent('at its start', { timeout: 60_000 }, () => {
  test.each<[string, RegExp]>([
    ['garbage', /too long/],
    ['text', /too long/],
    ['huge length', /too long/],
    ['no greeting', /greeting/],
    ['two greetings', /greeting/],
    ['an older version', /version 1 of the protocol, and this process version 4: restart Ampoule/],
    ['a newer version', /version 5 of the protocol, and this process version 4: restart Ampoule/],
    ['exits at once', /exit code 3/],
    ['runs before it is ready', /before it was ready/],
    // It takes a while: beside the others.
    ['a long frame that never ends', /did not answer for 10 seconds/],
  ])('an executor of the kind "%s" is ended', async (what, reason) => {
    expect(await fateOf(start(what))).toEqual(lost(reason));
  });
});

describe.concurrent('when its start takes too long', { timeout: 60_000 }, () => {
  test.each<[string, RegExp]>([
    ['never speaks', /did not start within 4 seconds/],
    ['never gets ready', /did not get ready within 8 seconds/],
    ['drips a greeting', /did not start within 4 seconds/],
  ])('an executor of the kind "%s" is ended', async (what, reason) => {
    expect(await fateOf(start(what, 4_000))).toEqual(lost(reason));
  });
});

describe.concurrent('with a run', { timeout: 60_000 }, () => {
  test.each<[string, RegExp]>([
    ['gets ready twice', /ready twice/],
    ['answers unasked', /not asked/],
    ['another run', /not given/],
    ['run zero', /not of the protocol/],
    ['not JSON', /not JSON/],
    ['deep JSON', /not JSON/],
    ['JSON of many values', /not JSON/],
    ['more memory than its lengths', /not of the protocol/],
    ['a result over its limit', /return too much/],
    ['a state over its limit', /return too much/],
    ['an outcome with more fuel than it may', /had used more than it may/],
    ['an outcome with more calls than it may', /had used more than it may/],
    ['half a call', /not of the protocol/],
    ['another key in the outcome', /not of the protocol/],
    ['a code of its own', /not of the protocol/],
    ['too many calls at once', /too many tool calls at once/],
    ['too many calls', /numbered a tool call/],
    ['the same call twice', /numbered a tool call/],
    ['large arguments', /too large arguments/],
    ['asks for scripts', /same script twice/],
    ['queues it again', /queued a run/],
    ['begins what began', /not queued/],
    ['makes programs', /does not stop telling/],
    ['tells what it was not asked', /not asked/],
    ['puts away what was to stay', /was to stay/],
    ['waits unasked', /not asked/],
    // On a machine that gives it little time it is not sure to compute, and gets ten seconds.
    ['hangs computing', /computes and does not answer|did not answer for 10 seconds/],
    ['hangs asleep', /sleeps and does not answer/],
    ['stops itself', /was stopped/],
    ['grows', /memory grew to \d+ MiB, more than 400 MiB/],
    ['does not answer', /sleeps and does not answer/],
  ])('an executor of the kind "%s" is ended', async (what, reason) => {
    expect(await fateOf(start(what))).toEqual(lost(reason));
  });

  test.each(['ends it', 'ends it three times', 'calls after its end'])('an executor that "%s" is not', async (what) => {
    const { executor, warnings } = start(what);
    const calls: string[] = [];
    const onCall: RunOptions['onCall'] = ({ tool }) => (calls.push(tool), Promise.resolve({ ok: true, value: '1' }));
    expect(await ending(executor, { onCall })).toBe('completed');
    expect(await ending(executor, { onCall })).toBe('completed');
    expect({ calls, warnings }).toEqual({ calls: [], warnings: [] });
  });
});

describe.concurrent('with a run that may be put away', { timeout: 60_000 }, () => {
  test.each<[string, RegExp]>([
    ['puts away what was queued', /was queued/],
    ['queues what made calls', /queued a run/],
    ['an image over its limit', /too much memory/],
    ['an empty image', /too much memory, or none/],
    ['waits for calls that it did not make', /did not make/],
    ['waits for the same call twice', /did not make/],
    ['waits for nothing', /waits for nothing/],
    ['forgets a call', /numbered a tool call/],
    ['invents calls', /numbered a tool call/],
    ['a clock of tomorrow', /clock is wrong/],
    ['a clock of yesterday', /clock is wrong/],
    ['a clock without end', /not of the protocol/],
    ['more fuel than it may', /used more than it may/],
    ['more memory than it may', /used more than it may/],
    ['more time than it may', /used more than it may/],
    ['another key in the image', /not of the protocol/],
    ['goes back in time', /go backwards/],
    ['settles what it did not make', /no answer/],
    ['settles what has no answer', /no answer/],
    ['settles it twice', /no answer/],
    ['a step without a clock', /not of the protocol/],
    ['too many steps', /not of the protocol/],
    ['a hash of its own', /not of the protocol/],
    ['waits for ever', /does not stop telling that a run waits/],
    ['awaits what it did not make', /had not made/],
    ['awaits nothing', /not of the protocol/],
  ])('an executor of the kind "%s" is ended', async (what, reason) => {
    expect(await fateOf(start(what), endingOfAttempt)).toEqual(lost(reason));
  });

  test.each<[string, RegExp]>([
    ['awaits another call', /had not made/],
    ['awaits it twice', /had not made, or twice/],
    ['makes a call again', /numbered a tool call/],
    ['waits for the same call twice', /numbered a tool call/],
  ])('that goes on: an executor of the kind "%s" is ended', async (what, reason) => {
    expect(await fateOf(start(what), (executor) => endingOfAttempt(executor, asleep()))).toEqual(lost(reason));
  });

  test('an executor that does what a good one may do is not', async () => {
    const attacks = ['puts it away', 'puts it away twice', 'asks again, then puts it away'].map((what) => start(what));
    const [once, twice, again] = attacks.map(({ executor }) => executor);
    if (!once || !twice || !again) throw new Error('there are three');
    const ends = await Promise.all([endingOfAttempt(once), endingOfAttempt(twice), endingOfAttempt(again, asleep())]);
    ends.push(await endingOfAttempt(twice));
    expect(ends).toEqual(Array(4).fill('put away'));
    expect(attacks.flatMap(({ warnings }) => warnings)).toEqual([]);
  });
});

test('one that ends its run again and again is ended, after the run', async () => {
  const { executor, warnings } = start('ends it again and again');
  expect(await ending(executor)).toBe('completed');
  await expect.poll(() => warnings[0]).toMatch(/does not stop telling/);
});

test('what one writes without end does not fill the log', async () => {
  const { executor, debug } = start('log flood');
  await executor.ready;
  await expect.poll(() => debug.at(-1)).toMatch(/is not logged/);
  const lines = debug.length;
  await new Promise((resolve) => void setTimeout(resolve, 100));
  expect(debug).toHaveLength(lines);
  expect(debug.join('').length).toBeLessThan(70_000);
});
