import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect, LANES, type TestClient } from '../server/clients.ts';
import { answerOf, MAIN, packaged, startAmpoule, temporary, writeConfig, type Ampoule } from './harness.ts';
import { until } from './processes.ts';

const CONFIG = { mcpServers: { everything: packaged('everything') }, log: { level: 'info', format: 'json' } };
const COMPUTES = 'console.log("begun"); for (;;);';
const WAITS =
  'import { triggerLongRunningOperation } from "servers/everything"; await triggerLongRunningOperation({ duration: 100, steps: 1 });';

let ampoule: Ampoule;
beforeAll(async () => void (ampoule = await startAmpoule(CONFIG)));
afterAll(() => ampoule.stop());

describe.each(LANES)('over Streamable HTTP, %s', (lane) => {
  test('lists the tool, runs programs and keeps a session', async () => {
    const client = await ampoule.connect(lane);
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual([
      'execute_code',
      'search_tools',
      'wait_execution',
      'cancel_execution',
    ]);
    const code =
      'import { getSum } from "servers/everything"; import { setState } from "ampoule"; setState("kept", 1); return getSum({ a: 2, b: 3 });';
    const first = answerOf(await client.call({ code, session: 'new' }));
    expect(first).toMatchObject({ isError: false, output: { status: 'completed', result: 'The sum of 2 and 3 is 5.' } });
    const next = answerOf(
      await client.call({ code: 'import { getState } from "ampoule"; return getState();', session: first.output.session }),
    );
    expect(next.output.result).toEqual({ kept: 1 });
  });

  test('a failed run is a tool result that is an error, with the same code in text and structure', async () => {
    const client = await ampoule.connect(lane);
    const { output, text, isError } = answerOf(await client.call({ code: 'throw new RangeError("too far");' }));
    expect(isError).toBe(true);
    expect(output.error).toMatchObject({ code: 'ERR_EXECUTE_THROWN', message: 'RangeError: too far', location: { line: 1 } });
    expect(text).toBe('failed: ERR_EXECUTE_THROWN; the error is in structuredContent.error');
  });

  test('an image arrives as image content', async () => {
    const client = await ampoule.connect(lane);
    const { content } = answerOf(await client.call({ code: 'import { getTinyImage } from "servers/everything"; return getTinyImage();' }));
    expect(content.filter(({ type }) => type === 'image')).toHaveLength(1);
  });

  test('progress rises', async () => {
    const client = await ampoule.connect(lane);
    const steps: number[] = [];
    const code = 'await new Promise((resolve) => setTimeout(resolve, 500)); return 1;';
    await client.call({ code }, { onprogress: ({ progress }) => void steps.push(progress) });
    expect(steps.length).toBeGreaterThan(0);
    expect(steps).toEqual(steps.toSorted((a, b) => a - b));
    expect(new Set(steps).size).toBe(steps.length);
  });

  test.each([
    ['computing', COMPUTES],
    ['waiting', WAITS],
  ])('a cancelled call stops while %s, and its slot is free again', async (_name, code) => {
    const client = await ampoule.connect(lane);
    const cancel = new AbortController();
    const call = client.call(
      { code: `${code} // ${lane}` },
      { signal: cancel.signal, onprogress: ({ progress }) => void (progress >= 2 && cancel.abort()) },
    );
    await expect(call).rejects.toThrow(/abort/i);
    // With one worker, a loop that went on would keep this from ever being answered.
    expect(answerOf(await client.call({ code: 'return 2 + 2;' })).output.result).toBe(4);
  });
});

describe.each(LANES.filter((lane) => lane !== 'v2 client, 2025-11-25'))('over stdio, %s', (lane) => {
  test('runs programs, and ends when the client goes', async () => {
    await using folder = await temporary();
    const config = await writeConfig(folder.path, { mcpServers: {}, log: { level: 'silent' } });
    const client: TestClient = await connect(lane, { program: MAIN, args: ['serve', '--stdio', '--config', config] });
    try {
      expect((await client.listTools()).tools.map(({ name }) => name)).toEqual([
        'execute_code',
        'search_tools',
        'wait_execution',
        'cancel_execution',
      ]);
      expect(answerOf(await client.call({ code: 'console.log("to stdout?"); return input * 2;', input: 21 })).output).toMatchObject({
        status: 'completed',
        result: 42,
        logs: [{ level: 'info', message: 'to stdout?' }],
      });
    } finally {
      await client.close();
    }
  });
});

test('many clients of both kinds at the same time each get their own answer', async () => {
  const clients = await Promise.all(LANES.map((lane) => ampoule.connect(lane)));
  const code = 'import { echo } from "servers/everything"; return echo({ message: String(input) });';
  const calls = Array.from({ length: 30 }, async (_, n) => {
    const client = clients[n % clients.length]!;
    return answerOf(await client.call({ code, input: n })).output.result;
  });
  expect(await Promise.all(calls)).toEqual(Array.from({ length: 30 }, (_, n) => `Echo: ${n}`));
});

test('the server runs through all of that without a word of warning', async () => {
  await until('the log has lines', () => ampoule.stderr.includes('"level"'));
  const warnings = ampoule.stderr.split('\n').filter((line) => /"level":(?:[4-6]0|"(?:warn|error)")/.test(line));
  expect(warnings).toEqual([]);
});
