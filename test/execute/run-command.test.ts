import { expect, test } from 'vitest';
import { commandSchema, isWholeCommand } from '../../src/execute/executor-protocol.ts';
import { fitTogether, readOrder, runOrder, stateOf, type SentProgram } from '../../src/execute/run-command.ts';
import type { RunFrom, RunRequest } from '../../src/execute/run.ts';
import { DEFAULT_RUN_LIMITS } from '../support/executor.ts';

const REQUEST: RunRequest = {
  executionId: 'exe_1',
  program: { key: 'ab'.repeat(32), script: 'return 1' },
  input: 'null',
  state: '{}',
  limits: DEFAULT_RUN_LIMITS,
};
const MIB = 1024 * 1024;
const SCRIPT: SentProgram = { form: 'script', bytes: Buffer.from('return 1') };
const IMAGE: RunFrom = { kind: 'image', image: new Uint8Array([1, 2, 3]), now: 5, pending: [2, 4], lastCall: 4 };
const HISTORY: RunFrom = { kind: 'history', steps: [[1], [2, 7, 3], [2.5]], now: 9 };

/** What the executor has of it in the end. */
function received(from: RunFrom | undefined, program: SentProgram): { program: string; from: RunFrom | undefined } {
  const request = { ...REQUEST, ...(from && { from }) };
  const { command, payload = new Uint8Array() } = runOrder(1, request, program, stateOf(request), true);
  const parsed = commandSchema.parse(JSON.parse(JSON.stringify(command)));
  if (parsed.type !== 'run') throw new Error('it is no run');
  expect(isWholeCommand(parsed, payload)).toBe(true);
  expect(isWholeCommand({ ...parsed, payload: 'none' }, Buffer.concat([payload, Buffer.alloc(1)]))).toBe(false);
  const order = readOrder(parsed, Buffer.from(payload));
  return { program: order.program.toString(), from: order.from };
}

test.each<[string, RunFrom | undefined]>([
  ['that starts', undefined],
  ['that goes on from an image', IMAGE],
  ['that is begun again', HISTORY],
  ['that is begun again before its first step', { kind: 'history', steps: [] }],
])('a run %s arrives as it was asked for, with its program or without', (_what, from) => {
  expect(received(from, SCRIPT)).toEqual({ program: 'return 1', from });
  expect(received(from, { form: 'none' })).toEqual({ program: '', from });
});

test('a run with a large image stays for longer before it may leave again, and one with an image of a MiB does not', () => {
  const hibernation = { afterMs: 50, maxImageBytes: 100_000_000 };
  const afterMs = (from: RunFrom | undefined, rules = hibernation): number | undefined => {
    const request = { ...REQUEST, hibernation: rules, ...(from && { from }) };
    return runOrder(1, request, SCRIPT, stateOf(request), true).command.hibernation?.afterMs;
  };
  const ofBytes = (bytes: number): RunFrom => ({ ...IMAGE, image: new Uint8Array(bytes) });
  expect([undefined, HISTORY, ofBytes(MIB), ofBytes(MIB + 1), ofBytes(12 * MIB)].map((from) => afterMs(from))).toEqual([
    50, 50, 50, 2_001, 24_000,
  ]);
  expect(afterMs(ofBytes(12 * MIB), { ...hibernation, afterMs: 60_000 })).toBe(60_000);
});

test('an image comes in memory that another thread has without a copy', () => {
  const { from } = received(IMAGE, SCRIPT);
  expect(from?.kind === 'image' && from.image.buffer).toBeInstanceOf(SharedArrayBuffer);
});

test('a payload that is shorter than its parts is no command', () => {
  const { command, payload } = runOrder(1, { ...REQUEST, from: IMAGE }, SCRIPT, IMAGE.kind === 'image' ? IMAGE.image : undefined, true);
  expect(payload).toHaveLength(11);
  expect(isWholeCommand(command, new Uint8Array(2))).toBe(false);
});

test('a program and an image that are too long for one message do not go together', () => {
  const [program, image] = [new Uint8Array(60 * 1024 * 1024), new Uint8Array(100 * 1024 * 1024)];
  expect([fitTogether(program, image), fitTogether(program, undefined)]).toEqual([true, true]);
  expect(fitTogether(program, new Uint8Array(100 * 1024 * 1024 + 1))).toBe(false);
});
