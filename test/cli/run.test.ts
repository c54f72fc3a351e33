import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { executeOutputSchema } from '../../src/result/output-schema.ts';
import { packaged, temporary, writeConfig } from '../e2e/harness.ts';
import { cli } from './run-cli.ts';

const folder = await temporary();
const alone = await temporary();
let config = '';
/** Without upstream servers and checks, for what is no matter of them. */
let bare = '';
beforeAll(async () => {
  const log = { level: 'warn', format: 'json' };
  config = await writeConfig(folder.path, { mcpServers: { everything: packaged('everything') }, log });
  bare = await writeConfig(alone.path, { mcpServers: {}, check: 'off', log });
});
afterAll(() => Promise.all([folder, alone].map((each) => each[Symbol.asyncDispose]())));

async function program(code: string): Promise<string> {
  const file = join(folder.path, `${crypto.randomUUID()}.ts`);
  await writeFile(file, code);
  return file;
}

describe.concurrent('ampoule run', () => {
  test('with --json prints the structured answer alone, and ends with 0 for a completed run', async () => {
    const file = await program(
      'import { getSum } from "servers/everything"; console.log("not on stdout"); return { sum: await getSum({ a: input.a, b: 2 }) };',
    );
    const { code, stdout, stderr } = await cli(['run', file, '--config', config, '--json', '--input', '{"a":1}']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.trimEnd()).not.toContain('\n');
    const output = executeOutputSchema.parse(JSON.parse(stdout));
    expect(output).toMatchObject({
      status: 'completed',
      result: { sum: 'The sum of 1 and 2 is 3.' },
      logs: [{ level: 'info', message: 'not on stdout' }],
      calls: [{ server: 'everything', tool: 'get-sum', ok: true }],
    });
  });

  test('without --json prints what a model would read', async () => {
    const { code, stdout } = await cli(['run', '-', '--config', bare], { stdin: 'console.warn("careful"); return [1, 2];' });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^completed \(/);
    expect(stdout).toContain('[warn] careful');
  });

  test('prints a large result and a large log whole, because no model has to carry them', async () => {
    const stdin = 'for (let i = 0; i < 5_000; i++) console.log("line " + i); return Array.from({ length: 30_000 }, (_, i) => i);';
    const { stdout } = await cli(['run', '-', '--config', bare, '--json'], { stdin });
    const { result, logs, kept } = executeOutputSchema.parse(JSON.parse(stdout));
    expect([(result as number[]).length, logs.length, kept]).toEqual([30_000, 5_000, undefined]);
  });

  test('ends with 1 for a failed run, and the answer is still on stdout', async () => {
    const file = await program('const a = 1;\nthrow new Error("no good");');
    const { code, stdout } = await cli(['run', file, '--config', bare, '--json']);
    expect(code).toBe(1);
    expect(executeOutputSchema.parse(JSON.parse(stdout))).toMatchObject({
      status: 'failed',
      error: { code: 'ERR_EXECUTE_THROWN', message: 'Error: no good', location: { line: 2 } },
    });
  });

  test.each([
    ['an input that is no JSON', ['-', '--input', '{days: 7}'], 'ERR_CLI_USAGE', '--input'],
    ['a file that is not there', ['absent.ts'], 'ERR_CLI_FILE', 'absent.ts'],
    ['a folder for a file', ['.'], 'ERR_CLI_FILE', '.'],
  ])('refuses %s', async (_name, args, expected, told) => {
    const { code, stdout, stderr } = await cli(['run', ...args, '--config', config], { cwd: folder.path });
    expect({ code, stdout }).toEqual({ code: expected === 'ERR_CLI_USAGE' ? 2 : 1, stdout: '' });
    expect(stderr).toContain(expected);
    expect(stderr).toContain(told);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  test('an empty program is refused like any other input that is wrong', async () => {
    const { code, stderr, stdout } = await cli(['run', '-', '--config', bare, '--json'], { stdin: '' });
    expect(code).toBe(1);
    expect(stdout + stderr).toContain('ERR_SERVER_INPUT');
  });

  test('takes ampoule.json of the working directory when no config is named', async () => {
    const { code, stdout } = await cli(['run', '-', '--json'], {
      cwd: folder.path,
      stdin: 'import { echo } from "servers/everything"; return echo({ message: "here" });',
    });
    expect({ code, result: JSON.parse(stdout).result }).toEqual({ code: 0, result: 'Echo: here' });
  });
});
