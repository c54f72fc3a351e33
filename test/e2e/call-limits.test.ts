import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packaged, startAmpoule, type Ampoule } from './harness.ts';

let ampoule: Ampoule;
beforeAll(async () => {
  ampoule = await startAmpoule({ check: 'off', mcpServers: { everything: packaged('everything'), memory: packaged('memory') } });
});
afterAll(() => ampoule.stop());

describe('limits of a call', () => {
  test.each([
    ['fuel', { fuel: 50_000_000 }, 'for (let i = 0; i < 1e9; i++);', 'ERR_EXECUTE_FUEL'],
    ['active time', { timeoutMs: 100 }, 'for (;;);', 'ERR_EXECUTE_ACTIVE_TIME'],
    ['waiting time', { waitMs: 100 }, 'await new Promise((r) => setTimeout(r, 60_000));', 'ERR_EXECUTE_WAITING_TIME'],
    ['memory', { memoryMb: 24 }, 'const all = []; for (;;) all.push(new Uint8Array(1 << 20).fill(1));', 'ERR_EXECUTE_MEMORY'],
    [
      'tool calls',
      { maxToolCalls: 2 },
      'import { echo } from "servers/everything"; for (;;) await echo({ message: "x" });',
      'ERR_EXECUTE_TOOL_CALLS',
    ],
  ])('lower the %s', async (_name, limits, code, expected) => {
    const { output } = await ampoule.execute(code, { limits });
    expect(output).toMatchObject({ status: 'failed', error: { code: expected } });
    expect(output.error?.hint).toBeTypeOf('string');
    expect(await ampoule.result('return 2 + 2;')).toBe(4);
  });

  test('never raise what the operator set', async () => {
    // Either answer keeps the limit: to refuse such a call, or to run it under the operator's own.
    const bomb = 'const all = []; for (;;) all.push(new Uint8Array(1 << 20));';
    const { output: bombed } = await ampoule.execute(bomb, { limits: { memoryMb: 1_000_000 } });
    expect(bombed.error?.code).toMatch(/^ERR_(SERVER_INPUT|EXECUTE_MEMORY)$/);
  });

  test('name the only servers that a run may call', async () => {
    const code = `import { echo } from "servers/everything"; import { readGraph } from "servers/memory";
      const first = await echo({ message: "allowed" }); try { await readGraph(); } catch (e) { return [first, e.code]; }`;
    expect(await ampoule.result(code, { limits: { servers: ['everything'] } })).toEqual(['Echo: allowed', 'ERR_CALL_DENIED']);
  });

  test('are checked: an unknown one is named with the nearest right one', async () => {
    const { output } = await ampoule.execute('return 1;', { limits: { memoryMB: 64 } });
    expect(output.error).toMatchObject({ code: 'ERR_SERVER_INPUT', message: expect.stringContaining('"memoryMb"') });
  });
});
