import { expect, test } from 'vitest';
import { temporary, writeConfig } from '../e2e/harness.ts';
import { cli } from './run-cli.ts';

test('ampoule engine lists the four imports of the component, and no other', async () => {
  await using folder = await temporary();
  const config = await writeConfig(folder.path, {});
  const { code, stdout } = await cli(['engine', '--config', config]);
  expect(code).toBe(0);
  const lines = stdout.split('\n');
  const imports = lines.indexOf('4 imports');
  const exports = lines.findIndex((line) => line.endsWith(' exports'));
  expect(imports).toBeGreaterThan(0);
  const listed = lines.slice(imports + 1, exports).join('\n');
  expect(lines.slice(imports + 1, exports)).toHaveLength(4);
  for (const name of ['call-tool', 'read-file', 'get-state', 'log']) expect(listed).toContain(name);
  expect(stdout).not.toMatch(/wasi/i);
  for (const name of ['load', 'start', 'resume', 'status']) expect(lines.slice(exports + 1).join('\n')).toContain(name);
});
