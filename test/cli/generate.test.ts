import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fixture, packaged, temporary, writeConfig } from '../e2e/harness.ts';
import { cli } from './run-cli.ts';

const log = { level: 'warn', format: 'json' };

test('ampoule generate says what it wrote, then that nothing changed, then what it removed', async () => {
  await using folder = await temporary();
  const everything = packaged('everything', [], { tools: { allow: ['echo', 'get-sum'] } });
  const config = await writeConfig(folder.path, {
    mcpServers: { everything, answers: fixture('answers', { tools: { allow: ['text'] } }) },
    log,
  });
  const first = await cli(['generate', '--config', config]);
  expect(first.code).toBe(0);
  for (const path of ['everything/echo.ts', 'everything/getSum.ts', 'everything/index.ts', 'answers/text.ts', 'manifest.json']) {
    expect(first.stdout).toContain(`wrote    ${path}`);
  }
  expect(first.stdout).toMatch(/^3 functions in .*: \d+ files written, 0 removed, \d+ unchanged\.$/m);
  const wrapper = join(folder.path, 'generated', 'everything', 'getSum.ts');
  expect(await readFile(wrapper, 'utf8')).toContain('do not edit');

  const second = await cli(['generate', '--config', config]);
  expect(second.stdout).toMatch(/^3 functions in .*: 0 files written, 0 removed, \d+ unchanged\.\n$/);

  await writeConfig(folder.path, { mcpServers: { everything }, log });
  const third = await cli(['generate', '--config', config]);
  expect(third.stdout).toContain('removed  answers/text.ts');
});

test('ampoule generate ends with 1 and names the server that is not ready, and still writes the others', async () => {
  await using folder = await temporary();
  const broken = { command: process.execPath, args: ['-e', 'process.exit(3)'] };
  const config = await writeConfig(folder.path, { mcpServers: { answers: fixture('answers'), broken }, log });
  const { code, stdout } = await cli(['generate', '--config', config]);
  expect(code).toBe(1);
  expect(stdout).toMatch(/^not generated: broken is \w+ \(.+\)$/m);
  expect(stdout).toContain('answers/text.ts');
});

test('ampoule generate names policies for tools that there are not', async () => {
  await using folder = await temporary();
  const config = await writeConfig(folder.path, {
    mcpServers: { answers: fixture('answers') },
    policies: { servers: { answers: { tools: { ehco: { policy: 'deny' }, echo: { maxCalls: 3 } } } } },
    log,
  });
  const { code, stdout } = await cli(['generate', '--config', config]);
  expect(code).toBe(0);
  const line = 'policy: policies.servers.answers.tools names "ehco", but the server "answers" has no tool "ehco". Did you mean "echo"?';
  expect(stdout.split('\n').filter((one) => one.startsWith('policy:'))).toEqual([line]);
});
