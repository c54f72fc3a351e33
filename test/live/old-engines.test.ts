import { describe, expect, test } from 'vitest';
import type { EngineFiles } from '../../src/engine/engine-files.ts';
import type { DurableExecutor, RunRequest } from '../../src/execute/run.ts';
import { OldEngines, type StartedEngine } from '../../src/live/old-engines.ts';
import { until } from '../e2e/processes.ts';

/** Executors that count instead of running: how they are started and ended is what is tested. */
function yard(engineChanged: 'keep' | 'fail' = 'keep', known: readonly string[] = ['old']) {
  const told = { started: [] as string[], closed: 0, asked: 0, looked: 0, fails: false };
  const executorOf = (): StartedEngine => ({
    hibernate: () => void told.asked++,
    attempt: async () => Promise.reject(new Error('it has run')),
    run: async () => Promise.reject(new Error('it has run')),
    prepare: () => undefined,
    close: () => Promise.resolve(void told.closed++),
  });
  const present = executorOf();
  const engines = new OldEngines({
    present: { hash: 'present', executor: present },
    engineChanged,
    find: (hash) => Promise.resolve((told.looked++, known.includes(hash) ? ({ hash } as EngineFiles) : undefined)),
    start: ({ hash }) => (told.fails ? Promise.reject(new Error('no memory')) : Promise.resolve((told.started.push(hash), executorOf()))),
    log: { info: () => undefined },
    lingerMs: 5,
  });
  return { engines, present, told };
}

const run = (executor: DurableExecutor | undefined): Promise<unknown> =>
  executor?.attempt({} as RunRequest, {} as Parameters<DurableExecutor['attempt']>[1], new AbortController().signal) ?? Promise.resolve();

describe('an engine that runs began on', () => {
  test('is the present one, or one that is still there, or none', async () => {
    const { engines, present, told } = yard();
    expect(await engines.executorFor('present')).toBe(present);
    expect(await engines.executorFor('gone')).toBeUndefined();
    expect(await engines.executorFor('gone')).toBeUndefined();
    expect(await engines.executorFor('old')).toBeDefined();
    expect(told).toMatchObject({ started: [], looked: 2 });
  });

  test('is started with the first run that needs it, once, and closed when nobody has for a while', async () => {
    const { engines, told } = yard();
    const executor = await engines.executorFor('old');
    await Promise.allSettled([run(executor), run(executor)]);
    expect(told.started).toEqual(['old']);
    await until('it is closed', () => told.closed === 1, 5_000);
    await expect(run(await engines.executorFor('old'))).rejects.toThrow('it has run');
    expect(told.started).toEqual(['old', 'old']);
    await engines.hibernate();
    expect(told.asked).toBe(1);
    await engines[Symbol.asyncDispose]();
    await engines.hibernate();
    expect([told.closed, told.asked]).toEqual([2, 1]);
  });

  test('that could not be started is tried again', async () => {
    const { engines, told } = yard();
    told.fails = true;
    await expect(run(await engines.executorFor('old'))).rejects.toThrow('no memory');
    told.fails = false;
    await expect(run(await engines.executorFor('old'))).rejects.toThrow('it has run');
    await engines[Symbol.asyncDispose]();
  });

  test('is not looked for where the operator wants runs to fail', async () => {
    const { engines, told } = yard('fail');
    expect(await engines.executorFor('old')).toBeUndefined();
    expect(told.looked).toBe(0);
  });
});
