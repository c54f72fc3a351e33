import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packaged, startAmpoule, type Ampoule } from './harness.ts';

/** The types of a program decide whether it runs, as the operator wants it. */

const MISTAKES = `import * as everything from "servers/everything";
await everything.echo({ message: "sent" });
const sum = await everything.getSum({ a: "1", b: 2 });
const weather = await everything.getStructuredContent({ location: "Chicago" });
return weather.temprature;`;

describe('with the default', () => {
  let ampoule: Ampoule;
  beforeAll(
    async () => void (ampoule = await startAmpoule({ mcpServers: { everything: packaged('everything'), memory: packaged('memory') } })),
  );
  afterAll(() => ampoule.stop());

  test('a program with type errors does not run at all, and hears all of them with places and right names', async () => {
    const { output, isError } = await ampoule.execute(MISTAKES);
    expect(isError).toBe(true);
    expect(output).toMatchObject({ status: 'failed', calls: [], error: { code: 'ERR_CHECK_TYPES', location: { line: 3, column: 39 } } });
    expect(output.error?.diagnostics).toEqual([
      expect.objectContaining({ tsCode: 2322, message: expect.stringContaining('a: number') }),
      expect.objectContaining({ tsCode: 2551, message: expect.stringContaining("'temperature'") }),
    ]);
    expect(output.error?.location?.source).toBe('const sum = await everything.getSum({ a: "1", b: 2 });');
  });

  test.each([
    ['a returned value', 'const n: number = 1; return n.toUpperCase();', "Property 'toUpperCase' does not exist"],
    ['a default export', 'export default (1 as number).length;', "Property 'length' does not exist"],
    ['a global that is not there', 'return process.env;', "Cannot find name 'process'"],
    [
      'a check that the program wants to turn off',
      '// @ts-nocheck\nconst n: number = "x"; return n;',
      "'string' is not assignable to type 'number'",
    ],
  ])('%s is checked', async (_what, code, message) => {
    const { output } = await ampoule.execute(code);
    expect(output.error).toMatchObject({ code: 'ERR_CHECK_TYPES', message: expect.stringContaining(message) });
  });

  test('the example of the README passes and completes', async () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    const code = /```ts\n([^]*?)```/.exec(readme)?.[1] ?? '';
    expect(code).toContain('servers/everything');
    const { output } = await ampoule.execute(code);
    expect(output).toMatchObject({ status: 'completed', result: { cities: 3 } });
  });

  test('syntax and imports are told in the words of the bundler', async () => {
    expect((await ampoule.execute('const = 1;')).output.error?.code).toBe('ERR_BUNDLE_SYNTAX');
    expect((await ampoule.execute('import "fs";')).output.error?.code).toBe('ERR_BUNDLE_IMPORT');
  });

  test('a program without mistakes runs, and its check is one of the phases', async () => {
    const code =
      'import * as e from "servers/everything"; const { temperature } = await e.getStructuredContent({ location: "Chicago" }); return temperature > -100;';
    const { output } = await ampoule.execute(code);
    expect(output).toMatchObject({ status: 'completed', result: true });
    expect(output.usage.phases).toHaveProperty('check');
    expect(output).not.toHaveProperty('warnings');
  });
});

test('with "warn" a program with type errors runs, and its answer has the findings', async () => {
  const ampoule = await startAmpoule({ check: 'warn', mcpServers: {} });
  try {
    const { output } = await ampoule.execute('const n: number = "x" ; return n;');
    expect(output).toMatchObject({ status: 'completed', result: 'x', warnings: [{ tsCode: 2322, location: { line: 1, column: 7 } }] });
  } finally {
    await ampoule.stop();
  }
});

test('with "off" nobody looks', async () => {
  const ampoule = await startAmpoule({ check: 'off', mcpServers: {} });
  try {
    const { output } = await ampoule.execute('const n: number = "x" ; return n;');
    expect(output).toMatchObject({ status: 'completed', result: 'x' });
    expect(output.usage.phases).not.toHaveProperty('check');
  } finally {
    await ampoule.stop();
  }
});
