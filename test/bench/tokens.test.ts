import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { definitionTokens } from '../../bench/tokens/count.ts';
import { connectDirectly } from '../../bench/tokens/direct.ts';
import { generatedServers } from '../../bench/tokens/generated-catalog.ts';
import { serversFor } from '../../bench/tokens/upstreams.ts';

const REAL_TOOLS = 36;

test.for([1, 14, 164, 964, 1_000])('%d generated tools are so many, under names of their own, on servers of at most 40', (count) => {
  const servers = generatedServers(count);
  const names = servers.flatMap(({ name, tools }) => tools.map((tool) => `${name}.${tool.name}`));
  expect(names.length).toBe(count);
  expect(new Set(names).size).toBe(count);
  expect(Math.max(...servers.map(({ tools }) => tools.length))).toBeLessThanOrEqual(40);
});

test('a generated tool is no longer than one of the real servers on average, so that the comparison is not won by its size', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ampoule-tokens-test-'));
  try {
    await using real = await connectDirectly(serversFor(REAL_TOOLS, folder));
    expect(real.tools).toBe(REAL_TOOLS);
    const generated = generatedServers(164).flatMap(({ tools }) => tools);
    expect(definitionTokens(generated) / generated.length).toBeLessThanOrEqual(real.upFront / real.tools);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
