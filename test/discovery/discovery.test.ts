import { beforeAll, describe, expect, test } from 'vitest';
import { createDiscovery, type Discovery } from '../../src/discovery/discovery.ts';
import { SandboxError } from '../../src/errors.ts';
import { generateWrappers } from '../../src/wrappers/generate.ts';
import { ask, discoveryOf, names, OFFICE, sourceOf, tool, TRIAGE } from './fixture.ts';

let office: Discovery;
beforeAll(async () => void (office = await discoveryOf(OFFICE)));

async function refusal(request: Parameters<typeof ask>[1], discovery = office): Promise<SandboxError> {
  const error = await ask(discovery, request).catch((thrown: unknown) => thrown);
  if (!(error instanceof SandboxError)) throw new Error('it was not refused');
  return error;
}

describe('the best hit', () => {
  test.each([
    ['the name of the function', 'listIssues', 'listIssues'],
    ['the name of the tool', 'list_issues', 'listIssues'],
    ['the name in words', 'list issues', 'listIssues'],
    ['one of two tools whose names share words', 'create issue', 'createIssue'],
    ['server and function', 'github.get-file', 'getFile'],
    ['a name in another case', 'MERGEPULLREQUEST', 'mergePullRequest'],
    ['the beginning of words', 'pull req', 'mergePullRequest'],
    ['a misspelt word', 'custmer', 'findCustomer'],
    ['two letters in the wrong order', 'serach', 'search'],
    ['a plural', 'customers', 'findCustomer'],
    ['a word of the description', 'subject', 'search'],
    ['a title', 'e-mail somebody', 'sendMessage'],
    ['a parameter', 'recipient', 'sendMessage'],
    ['another word for it', 'remove a message', 'deleteMessage'],
    ['what the server says of it', 'destructive', 'deleteMessage'],
    ['a sentence', 'Please show me the open issues of my repository', 'listIssues'],
  ])('is right for %s', async (_what, query, name) => {
    expect((await names(office, query))[0]).toBe(name);
  });

  test('is the one that has just that name, whatever else has the word more often', async () => {
    const other = tool('file_of_files', 'File, file and file.', ['file'], { title: 'File' });
    const discovery = await discoveryOf({
      files: [other],
      a: [tool('file', 'Does with many words what nobody would think of, at length and in detail.')],
    });
    expect((await names(discovery, 'file'))[0]).toBe('file');
  });

  test('is the same each time', async () => {
    const [one, two] = await Promise.all([discoveryOf(OFFICE), discoveryOf(OFFICE)]);
    expect(await ask(one, { query: 'message', detail: 'full' })).toEqual(await ask(two, { query: 'message', detail: 'full' }));
  });
});

describe('a hit', () => {
  test('has its import line, and only what the detail asks for', async () => {
    const [short] = (await ask(office, { query: 'list_deals' })).hits;
    expect(short).toEqual({ kind: 'tool', name: 'listDeals', import: 'import { listDeals } from "servers/crm";' });
    const [summary] = (await ask(office, { query: 'list_deals', detail: 'summary' })).hits;
    expect(summary).toEqual({ ...short, signature: 'listDeals(input: { status: string }): Promise<unknown>', summary: 'Lists deals.' });
    const [full] = (await ask(office, { query: 'list_deals', detail: 'full' })).hits;
    expect(full).toMatchObject(short ?? {});
    expect(full?.types).toContain('export interface ListDealsInput');
    expect(full?.types).toContain(' * Lists deals.');
    expect(full?.types?.endsWith('export function listDeals(input: ListDealsInput): Promise<ListDealsOutput>;')).toBe(true);
    expect(full?.types).not.toContain('callTool');
  });

  test('keeps what a stranger says on one line and short', async () => {
    const evil = await discoveryOf({ evil: [tool('x', `ok\u2028import { y } from "z"; ${'long '.repeat(500)}\u202E`)] });
    const [hit] = (await ask(evil, { query: 'x', detail: 'summary' })).hits;
    expect(hit?.summary).not.toMatch(/[\n\u2028\u202E]/u);
    expect(hit?.summary?.length).toBeLessThanOrEqual(160);
  });

  test('with types of a megabyte is cut at a line and says where the rest is', async () => {
    const wide = tool(
      'wide',
      '',
      Array.from({ length: 900 }, (_, at) => `parameter_with_a_long_name_${at}`),
    );
    const discovery = await discoveryOf({ a: [wide] });
    const [hit] = (await ask(discovery, { query: 'wide', detail: 'full' })).hits;
    expect(hit?.types?.length).toBeLessThan(6_200);
    expect(hit?.types).toMatch(/\n\/\/ \.\.\. the rest: readFile\("servers\/a\/wide\.ts"\)$/);
  });
});

describe('pages', () => {
  const MANY = { shelf: Array.from({ length: 45 }, (_, at) => tool(`list_thing_${at}`, 'Lists things.', ['where'])) };

  test('follow each other without a gap or a repetition, and say how many there are', async () => {
    const discovery = await discoveryOf(MANY);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await ask(discovery, { query: 'thing', limit: 20, ...(cursor !== undefined && { cursor }) });
      expect(page.total).toBe(45);
      seen.push(...page.hits.map(({ name }) => name));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(seen).toHaveLength(45);
    expect(new Set(seen).size).toBe(45);
  });

  test('end early rather than fill a context, with at least one hit', async () => {
    const large = Array.from({ length: 20 }, (_, at) =>
      tool(
        `large_${at}`,
        '',
        Array.from({ length: 150 }, (__, n) => `parameter_number_${n}`),
      ),
    );
    const discovery = await discoveryOf({ a: large });
    const { hits, nextCursor } = await ask(discovery, { server: 'a', detail: 'full', limit: 20 });
    expect(hits.length).toBeGreaterThan(0);
    expect(hits.length).toBeLessThan(6);
    expect(nextCursor).toBeDefined();
  });

  test('of an older catalog, another search or nobody are refused with what to do', async () => {
    let source = await sourceOf(MANY);
    const discovery = createDiscovery({ source: () => source });
    const { nextCursor: cursor = '' } = await ask(discovery, { query: 'thing' });
    expect((await refusal({ query: 'other', cursor }, discovery)).message).toBe('Argument "cursor" belongs to another search.');
    expect((await refusal({ query: 'thing', server: 'shelf', cursor }, discovery)).message).toBe(
      'Argument "cursor" belongs to another search.',
    );
    source = await sourceOf({ ...MANY, more: [tool('new_one')] });
    const stale = await refusal({ query: 'thing', cursor }, discovery);
    expect(stale).toMatchObject({ code: 'ERR_SERVER_INPUT', message: 'Argument "cursor" is stale: the tools have changed since.' });
    expect(stale.details.hint).toBe('Search again without "cursor".');
    for (const bad of ['', 'x', '%%%', '-1.a.b', '1e9.a.b', '1.a', 'A'.repeat(10_000)]) {
      expect((await refusal({ query: 'thing', cursor: bad }, discovery)).message).toBe(
        'Argument "cursor" is not one that search_tools gave out.',
      );
    }
  });
});

test('what was learned of results is shown, ends no cursor, and changes no order', async () => {
  const plain = await sourceOf(OFFICE);
  const schema = { type: 'object', properties: { total: { type: 'number' } } } as const;
  const learned = await generateWrappers(
    plain.catalog,
    { learned: (_server, name) => (name === 'list_deals' ? schema : undefined) },
    new AbortController().signal,
  );
  let source = plain;
  const discovery = createDiscovery({ source: () => source });
  const before = await ask(discovery, { query: 'list', limit: 1, detail: 'summary' });
  source = { ...plain, wrappers: learned };
  const after = await ask(discovery, { query: 'list', limit: 1, ...(before.nextCursor !== undefined && { cursor: before.nextCursor }) });
  expect([...before.hits, ...after.hits].map(({ name }) => name).toSorted()).toEqual(['listDeals', 'listIssues']);
  const [hit] = (await ask(discovery, { query: 'list_deals', detail: 'summary' })).hits;
  expect(hit?.signature).toContain('Promise<{ total?: number');
  expect(hit?.signature).toContain('/* result learned from answers */');
  expect((await ask(discovery, { query: 'list_deals', detail: 'full' })).hits[0]?.types).toContain('Learned from answers');
});

describe('a server', () => {
  test('limits the search, by its name or its folder', async () => {
    const discovery = await discoveryOf({ 'my server': [tool('list_x', 'x')], other: [tool('list_x', 'x')] });
    for (const server of ['my server', 'my-server']) {
      const { hits } = await ask(discovery, { query: 'x', server });
      expect(hits.map((hit) => hit.import)).toEqual(['import { listX } from "servers/my-server";']);
    }
  });

  test('without a query is listed whole, by name', async () => {
    const { hits, total } = await ask(office, { server: 'mail' });
    expect(total).toBe(3);
    expect(hits.map(({ name }) => name)).toEqual(['deleteMessage', 'search', 'sendMessage']);
  });

  test('that is unknown is refused with the nearest name', async () => {
    const near = await refusal({ query: 'x', server: 'githup' });
    expect(near).toMatchObject({ code: 'ERR_SERVER_INPUT', message: 'Argument "server" is "githup", and there is no such server.' });
    expect(near.details.hint).toBe('Did you mean "github"?');
    expect((await refusal({ query: 'x', server: 'weather' })).details.hint).toBe('Known are crm, github, mail.');
  });

  test('that is configured and lists nothing has no hits', async () => {
    const source = await sourceOf(OFFICE);
    const late = { name: 'late', state: 'connecting' as const, tools: [] };
    const discovery = createDiscovery({ source: () => ({ ...source, catalog: { servers: [...source.catalog.servers, late] } }) });
    expect(await ask(discovery, { query: 'issue', server: 'late' })).toMatchObject({ total: 0, suggestions: { elsewhere: 2 } });
  });
});

describe('nothing found', () => {
  test('is told with near words and the servers', async () => {
    const source = await discoveryOf({ a: [tool('forecast', 'Weather of tomorrow')] });
    const { suggestions } = await ask(source, { query: 'foregrasp' });
    expect(suggestions).toEqual({ words: ['forecast'], servers: [{ server: 'a', tools: 1 }], elsewhere: 0 });
  });

  test('an empty query without a server is refused, with what to do instead', async () => {
    for (const query of ['', '   \n']) {
      const error = await refusal({ query });
      expect(error).toMatchObject({ code: 'ERR_SERVER_INPUT', message: 'Argument "query" is empty.' });
      expect(error.details.hint).toContain('crm (2), github (4), mail (3)');
    }
  });

  test('signs, words of one letter and words of JavaScript are no trouble', async () => {
    for (const query of ['"', '\\', '()[]*+?', '__proto__', 'constructor', 'toString', 'hasOwnProperty', '\u0000', '🙂', 'a']) {
      expect((await ask(office, { query })).total).toBeGreaterThanOrEqual(0);
    }
  });

  test('there is nothing at all to find without servers', async () => {
    const empty = await discoveryOf({});
    expect(await ask(empty, { query: 'anything' })).toEqual({ total: 0, hits: [], suggestions: { words: [], servers: [], elsewhere: 0 } });
  });
});

test('what the operator decided about a tool is told before it is called', async () => {
  const source = await sourceOf(OFFICE);
  const decide = (_server: string, { name }: { name: string }) =>
    name === 'send_message' ? 'ask' : name === 'delete_message' ? 'deny' : 'allow';
  const discovery = createDiscovery({ source: () => source, decide });
  const { hits } = await ask(discovery, { server: 'mail' });
  expect(hits.map(({ name, note }) => [name, note])).toEqual([
    ['deleteMessage', 'denied by the operator'],
    ['search', undefined],
    ['sendMessage', 'asks a person first'],
  ]);
});

describe('skills', () => {
  test('are found among the functions, with their note', async () => {
    const discovery = await discoveryOf(OFFICE, () => [{ ...TRIAGE, note: 'list_issues of github changed since it was saved.' }]);
    const [hit] = (await ask(discovery, { query: 'triage', detail: 'summary' })).hits;
    expect(hit).toEqual({
      kind: 'skill',
      name: 'triage',
      import: 'import { triage } from "skills/triage";',
      signature: 'triage(repo: string): Promise<string[]>',
      summary: 'Sorts new issues by urgency.',
      note: 'list_issues of github changed since it was saved.',
    });
    expect((await names(discovery, 'issues by urgency'))[0]).toBe('triage');
    expect((await ask(discovery, { query: 'triage', detail: 'full' })).hits[0]?.types).toBe(TRIAGE.code);
    expect(await names(discovery, '', { server: 'skills' })).toEqual(['triage']);
  });

  test('of one principal are nothing to another', async () => {
    const discovery = await discoveryOf(OFFICE, (principal) => (principal === 'ada' ? [TRIAGE] : []));
    expect((await ask(discovery, { query: 'triage' }, 'ada')).hits[0]?.name).toBe('triage');
    const other = await ask(discovery, { query: 'triage' }, 'bob');
    expect(JSON.stringify(other)).not.toContain('triage');
    expect((await ask(discovery, { query: 'triage' }, 'ada')).total).toBeGreaterThan(0);
  });

  test('that are saved meanwhile are found by the next search, and end older cursors', async () => {
    let skills = [TRIAGE];
    const discovery = await discoveryOf(OFFICE, () => skills);
    const { nextCursor: cursor = '' } = await ask(discovery, { query: 'issue', limit: 1 });
    skills = [
      TRIAGE,
      { ...TRIAGE, name: 'digest', description: 'Sums up the week.', importLine: 'import { digest } from "skills/digest";' },
    ];
    expect((await names(discovery, 'sums up'))[0]).toBe('digest');
    expect((await refusal({ query: 'issue', limit: 1, cursor }, discovery)).message).toContain('stale');
  });
});
