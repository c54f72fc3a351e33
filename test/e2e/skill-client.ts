import { once } from 'node:events';
import { expect } from 'vitest';
import type { TestClient } from '../server/clients.ts';
import { answerOf, spawnAmpoule, type Ampoule } from './harness.ts';

/** Saves a skill; the text of the answer. */
export async function save(client: TestClient, name: string, code: string, description = `What ${name} does.`): Promise<string> {
  const answer = await client.callTool('save_skill', { name, description, code });
  answerOf(answer);
  const text = answer.content[0]?.text ?? '';
  expect(answer.isError === true).toBe(text.startsWith('failed: '));
  return text;
}

/** What a search answers. */
export async function searched(client: TestClient, query: string, detail = 'summary'): Promise<string> {
  return (await client.callTool('search_tools', { query, detail })).content.map(({ text }) => text).join('\n');
}

/** The operator's command line, beside the server. */
export async function operator(ampoule: Ampoule, ...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawnAmpoule(['skills', ...args, '--config', `${ampoule.directory}/ampoule.json`]);
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) child[name]?.setEncoding('utf8').on('data', (text: string) => (output[name] += text));
  const [code] = (await once(child, 'close')) as [number];
  return { code, ...output };
}
