import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { SkillsClient } from '@modelcontextprotocol/client/ext/skills';
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect, LANES, type TestClient } from '../server/clients.ts';
import { answerOf, fixture, MAIN, packaged, startAmpoule, temporary, writeConfig, type Ampoule } from './harness.ts';
import { until } from './processes.ts';

const MANY = 1_000;
const PAGE = 100;

function many(count: number): object {
  const server = fixture('many') as { args: string[] };
  return { ...server, args: [...server.args, String(count)] };
}

/** The text of a call of search_tools. */
async function search(client: TestClient, args: Record<string, unknown>): Promise<{ text: string; isError: boolean }> {
  const answer = await client.callTool('search_tools', args);
  expect(answer.content).toHaveLength(1);
  expect(answer.structuredContent).toBeUndefined();
  return { text: answer.content[0]?.text ?? '', isError: answer.isError === true };
}

let ampoule: Ampoule;
beforeAll(async () => {
  ampoule = await startAmpoule({ mcpServers: { everything: packaged('everything'), memory: packaged('memory'), shelves: many(MANY) } });
});
afterAll(() => ampoule.stop());

describe.each(LANES)('over Streamable HTTP, %s', (lane) => {
  let client: TestClient;
  beforeAll(async () => {
    client = await ampoule.connect(lane);
  });

  test('a search finds the function, and its import line is one that a program can begin with', async () => {
    const { text } = await search(client, { query: 'sum of two numbers', limit: 3 });
    const [line = ''] = text.split('\n');
    expect(line).toBe('import { getSum } from "servers/everything";');
    expect(text).toContain('getSum(input: { a: number; b: number })');
    const { output } = answerOf(await client.call({ code: `${line}\nreturn await getSum({ a: 20, b: 22 });` }));
    expect(output).toMatchObject({ status: 'completed', result: 'The sum of 20 and 22 is 42.' });
  });

  test('detail says how much is told', async () => {
    const query = { query: 'create_entities', limit: 1 };
    expect((await search(client, { ...query, detail: 'names' })).text).toMatch(
      /^import { createEntities } from "servers\/memory";\n1 of \d+; the next: cursor "\S+"$/,
    );
    const { text } = await search(client, { ...query, detail: 'full' });
    expect(text).toContain('export interface CreateEntitiesInput');
    expect(text).toContain('/**');
    expect(text).toContain('export function createEntities(input: CreateEntitiesInput): Promise<CreateEntitiesOutput>;');
    expect(text).not.toContain('callTool');
  });

  test('pages of a server are complete and without a tool twice', async () => {
    const names: string[] = [];
    let cursor: string | undefined;
    do {
      const { text } = await search(client, { server: 'shelves', detail: 'names', limit: PAGE, ...(cursor !== undefined && { cursor }) });
      names.push(...[...text.matchAll(/import { (\w+) }/g)].map((match) => match[1] ?? ''));
      cursor = /cursor "([^"]+)"/.exec(text)?.[1];
    } while (cursor !== undefined);
    expect(names).toHaveLength(MANY);
    expect(new Set(names).size).toBe(MANY);
  });

  test.each([
    ['no query and no server', {}, ['ERR_SERVER_INPUT: Argument "query" is empty.', 'shelves (1000)']],
    ['an empty query', { query: '  ' }, ['ERR_SERVER_INPUT: Argument "query" is empty.', '"list open issues"']],
    ['a query of 10 KB', { query: 'word '.repeat(2_048) }, ['ERR_SERVER_INPUT: Argument "query" is 10240 bytes; the limit is 1024 bytes.']],
    ['a server that is misspelt', { query: 'x', server: 'memroy' }, ['ERR_SERVER_INPUT', 'Did you mean "memory"?']],
    ['a cursor of nobody', { query: 'x', cursor: 'AAAA' }, ['Argument "cursor" is not one that search_tools gave out.']],
    ['a detail that there is not', { query: 'x', detail: 'all' }, ['Argument "detail" must be "names", "summary" or "full", not "all".']],
    ['a limit over the most', { query: 'x', limit: 101 }, ['Argument "limit" must be a whole number from 1 to 100, not 101.']],
    ['a misspelt argument', { qery: 'x' }, ['Unknown argument "qery". Did you mean "query"?']],
  ])('%s is refused with what to do', async (_what, args, words) => {
    const { text, isError } = await search(client, args);
    expect(isError).toBe(true);
    for (const word of words) expect(text).toContain(word);
  });

  test('words that nothing has are told with what there is', async () => {
    expect((await search(client, { query: 'zzyzzyx' })).text).toBe('Nothing found.\nServers: everything (13), memory (9), shelves (1000).');
  });

  test('the wrappers are resources, listed in pages and the same as readFile reads in a run', async () => {
    const uris: string[] = [];
    let [cursor, pages]: [string | undefined, number] = [undefined, 0];
    do {
      const page = await client.listResources(cursor);
      expect(page.resources.length).toBeLessThanOrEqual(PAGE);
      uris.push(...page.resources.map(({ uri }) => uri));
      cursor = page.nextCursor;
      pages++;
    } while (cursor !== undefined);
    expect(pages).toBeGreaterThan(MANY / PAGE);
    expect(new Set(uris).size).toBe(uris.length);
    for (const path of ['memory/createEntities.ts', 'memory/index.ts', 'shelves/listThing999.ts']) {
      expect(uris).toContain(`ampoule://servers/${path}`);
      const { text, mimeType } = await client.readResource(`ampoule://servers/${path}`);
      expect(mimeType).toBe('text/typescript');
      const code = 'import { readFile } from "ampoule"; return readFile(`servers/${input}`);';
      expect(answerOf(await client.call({ code, input: path })).output.result).toBe(text);
    }
  });

  test('a resource that there is not is told with the nearest one', async () => {
    await expect(client.readResource('ampoule://servers/memory/createEntity.ts')).rejects.toThrow(
      'Did you mean ampoule://servers/memory/createEntities.ts?',
    );
    await expect(client.readResource('ampoule://servers/memory/../../manifest.json')).rejects.toThrow(/not found|no wrapper/i);
    await expect(client.listResources('bm9ib2R5')).rejects.toThrow('cursor');
  });

  test('the template completes servers and functions', async () => {
    expect(await client.complete('server', 'm')).toEqual(['memory']);
    expect(await client.complete('tool', 'create', { server: 'memory' })).toEqual(['createEntities', 'createRelations']);
  });

  test('the prompt teaches how to solve a task here, and is the same each time', async () => {
    expect((await client.listPrompts()).map(({ name }) => name)).toEqual(['solve']);
    const text = await client.getPrompt('solve', { task: 'Count the shelves.' });
    expect(text).toContain('memory (9)');
    expect(text).toContain('import {');
    expect(text.endsWith('The task: Count the shelves.')).toBe(true);
    expect(await client.getPrompt('solve', { task: 'Count the shelves.' })).toBe(text);
    expect(countTokens(text)).toBeLessThan(400);
  });

  test('the skill says the same as the prompt', async () => {
    const { resources } = await client.listResources();
    const skill = resources.find(({ uri }) => uri.startsWith('skill://'));
    expect(skill).toMatchObject({ uri: 'skill://solve-with-code/SKILL.md', name: 'solve-with-code', mimeType: 'text/markdown' });
    const { text = '' } = await client.readResource(skill?.uri ?? '');
    expect(text).toMatch(/^---\nname: solve-with-code\ndescription: .+\n---\n\n/);
    expect(text.endsWith(await client.getPrompt('solve'))).toBe(true);
  });

  test('everything that a model is given up front at a thousand tools is small', async () => {
    const { tools } = await client.listTools();
    const [execute] = tools;
    expect(countTokens(execute?.description ?? '')).toBeLessThanOrEqual(1_000);
    expect(execute?.description).toContain('servers/shelves: 1000 functions (fixture, thing)');
    const upFront = tools.map(({ name, description, inputSchema }) => JSON.stringify({ name, description, inputSchema })).join('\n');
    expect(countTokens(upFront)).toBeLessThanOrEqual(1_500);
  });
});

test('a client of the skills extension finds, checks and reads the skill', async () => {
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(new StreamableHTTPClientTransport(new URL(ampoule.url)));
  try {
    const skills = new SkillsClient(client);
    expect(skills.supported).toBe(true);
    const [skill] = (await skills.list()).skills;
    expect(skill?.frontmatter).toEqual({ name: 'solve-with-code', description: 'Solve tasks that need tools with execute_code.' });
    if (skill === undefined) throw new Error('no skill is listed');
    // The client compares what it reads with the digest of the entry.
    expect(await skills.read(skill)).toMatchObject({ text: expect.stringContaining('# Solve a task with execute_code') });
  } finally {
    await client.close();
  }
});

describe('a server with a small budget, one of whose tools change', () => {
  let small: Ampoule;
  beforeAll(async () => {
    small = await startAmpoule({
      mcpServers: { restless: fixture('restless'), memory: packaged('memory') },
      discovery: { descriptionTokens: 500 },
      policies: { servers: { memory: { tools: { 'delete_*': { policy: 'deny' }, create_relations: { policy: 'ask' } } } } },
    });
  });
  afterAll(() => small.stop());

  test('the description keeps to the budget of the operator and is the same for every client, and a search tells what the operator decided', async () => {
    const clients = await Promise.all(LANES.map((lane) => small.connect(lane)));
    const descriptions = await Promise.all(clients.map(async (client) => (await client.listTools()).tools[0]?.description ?? ''));
    expect(new Set(descriptions).size).toBe(1);
    expect(countTokens(descriptions[0] ?? '')).toBeLessThanOrEqual(500);
    expect(descriptions[0]).toContain('servers/memory');
    const { text } = await search(clients[0]!, { server: 'memory', limit: 100 });
    expect(text).toMatch(/\n {2}deleteEntities\(.+\/\/ \(denied by the operator\) Delete multiple/);
    expect(text).toMatch(/\n {2}createRelations\(.+\/\/ \(asks a person first\) Create multiple/);
  });

  test('clients of the modern revision hear over HTTP that tools and wrappers changed', async () => {
    const client = await small.connect();
    await client.listTools();
    await small.result('import { start } from "servers/restless"; return start({ changes: 1, everyMs: 10 });');
    await until('it was told', () => client.changes().tools > 0 && client.changes().resources > 0);
    expect((await client.listTools()).tools[0]?.description).toContain('current1');
  });
});

describe('an upstream that changes its tools without end', () => {
  /** At ten changes in a second this is two seconds, at fifty less than one. */
  const STORMS = LANES.map((lane, at) => ({ lane, storm: at === 0 ? { changes: 20, everyMs: 100 } : { changes: 40, everyMs: 20 } }));

  test.each(STORMS)('is told at a bounded rate, delays nobody, and ends as it is: $lane, $storm', async ({ lane, storm }) => {
    await using folder = await temporary();
    const config = await writeConfig(folder.path, {
      mcpServers: { restless: fixture('restless'), shelves: many(200) },
      log: { level: 'silent' },
    });
    const client = await connect(lane, { program: MAIN, args: ['serve', '--stdio', '--config', config] });
    try {
      await client.listTools();
      const began = performance.now();
      const start = 'import { start } from "servers/restless"; return start(input);';
      expect(answerOf(await client.call({ code: start, input: storm })).output.status).toBe('completed');
      for (let at = 0; at < 5; at++) {
        const asked = performance.now();
        expect((await search(client, { query: 'counts its changes', limit: 1 })).text).toContain(
          'import { version } from "servers/restless";',
        );
        expect(answerOf(await client.call({ code: `return ${at} + 1;` })).output.result).toBe(at + 1);
        expect(performance.now() - asked).toBeLessThan(3_000);
      }
      const last = `current${storm.changes}`;
      const isNewest = async (): Promise<boolean> => (await search(client, { query: last, limit: 1 })).text.includes(`import { ${last} }`);
      await untilAsync(`the wrappers have ${last}`, isNewest);
      expect((await client.readResource(`ampoule://servers/restless/${last}.ts`)).text).toContain(`current-${storm.changes}`);
      await until('the last notice is there', () => client.changes().resources > 0);
      // One at once, then one in a second, and one for the end.
      expect(client.changes().resources).toBeLessThanOrEqual(2 + Math.ceil((performance.now() - began) / 1_000));
    } finally {
      await client.close();
    }
  });
});

async function untilAsync(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 15_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
