import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packaged, startAmpoule, temporary, type Ampoule } from './harness.ts';

// The folder that server-filesystem serves: its answers name it, so it is not below a folder whose name we look for.
const folder = await temporary();
let ampoule: Ampoule;

beforeAll(async () => {
  await mkdir(join(folder.path, 'notes'));
  await writeFile(join(folder.path, 'notes', 'one.txt'), 'first note: grüße');
  await writeFile(join(folder.path, 'notes', 'two.txt'), 'second');
  ampoule = await startAmpoule({
    check: 'off',
    mcpServers: {
      everything: packaged('everything', [], { tools: { deny: ['get-env'] } }),
      files: packaged('filesystem', [folder.path]),
      memory: packaged('memory', [], { env: { MEMORY_FILE_PATH: join(folder.path, 'memory.jsonl') } }),
    },
    mounts: { notes: join(folder.path, 'notes') },
  });
});

afterAll(async () => {
  await ampoule.stop();
  await folder[Symbol.asyncDispose]();
});

describe('the tool', () => {
  test('is the only one, and its description names every server and shows functions of them', async () => {
    const client = await ampoule.connect();
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['execute_code', 'search_tools', 'wait_execution', 'cancel_execution']);
    const [tool] = tools;
    for (const name of ['servers/everything', 'servers/files', 'servers/memory', 'getSum', 'readTextFile', 'createEntities', 'callTool']) {
      expect(tool?.description).toContain(name);
    }
    expect(tool?.description).not.toContain('getEnv');
    expect(tool).toMatchObject({
      inputSchema: { type: 'object' },
      outputSchema: { type: 'object' },
      annotations: { destructiveHint: true },
    });
  });
});

describe('a program', () => {
  test('combines tools of several servers that run at the same time', async () => {
    const { output, text } = await ampoule.execute(
      `import * as everything from "servers/everything";
       import { createEntities, readGraph } from "servers/memory";
       import { readMultipleFiles } from "servers/files";
       const paths: string[] = input.names.map((name: string) => input.folder + "/" + name);
       const [weather, , notes] = await Promise.all([
         everything.getStructuredContent({ location: "Chicago" }),
         createEntities({ entities: [{ name: "note", entityType: "file", observations: ["seen"] }] }),
         readMultipleFiles({ paths }) as Promise<unknown>,
       ]);
       const { entities } = await readGraph();
       return { degrees: typeof weather.temperature, second: JSON.stringify(notes).includes("second"), entities };`,
      { input: { folder: join(folder.path, 'notes'), names: ['one.txt', 'two.txt'] } },
    );
    expect(output).toMatchObject({
      status: 'completed',
      result: { degrees: 'number', second: true, entities: [{ name: 'note', entityType: 'file', observations: ['seen'] }] },
      usage: { toolCalls: 4 },
    });
    expect(output.calls.map(({ server, tool, ok }) => `${server}.${tool} ${ok}`)).toEqual([
      'everything.get-structured-content true',
      'memory.create_entities true',
      'files.read_multiple_files true',
      'memory.read_graph true',
    ]);
    expect(text).toBe('completed; the answer is in structuredContent');
  });

  test('overlaps slow calls for real', async () => {
    const { output } = await ampoule.execute(
      `import { triggerLongRunningOperation as slow } from "servers/everything";
       await Promise.all([1, 2, 3, 4].map(() => slow({ duration: 1, steps: 1 })));`,
    );
    expect(output).toMatchObject({ status: 'completed', usage: { toolCalls: 4 } });
    // One after the other they would have waited for at least four seconds.
    expect(output.calls.reduce((sum, { ms }) => sum + ms, 0)).toBeGreaterThanOrEqual(3_900);
    expect(output.usage.waitingMs).toBeLessThan(3_900);
  });

  test('gives its result with return, with export default, and from a function that gets the input', async () => {
    expect(await ampoule.result('return input.n + 1;', { input: { n: 41 } })).toBe(42);
    expect(await ampoule.result('const n: number = input; export default { n };', { input: 7 })).toEqual({ n: 7 });
    expect(await ampoule.result('export default async (given: number[]) => given.map((n) => n * 2);', { input: [1, 2] })).toEqual([2, 4]);
    const nothing = await ampoule.execute('const unused = 1;');
    expect(nothing.output.status).toBe('completed');
    expect(nothing.output).not.toHaveProperty('result');
  });

  test('logs in levels, through console and log alike', async () => {
    const { output } = await ampoule.execute(
      `import { log } from "ampoule";
       console.log("plain", { a: [1] }, 2n); console.warn("careful"); console.error(new TypeError("bad")); console.debug("detail");
       log("info", "counted", { n: 3 });`,
    );
    expect(output.logs.map(({ level }) => level)).toEqual(['info', 'warn', 'error', 'debug', 'info']);
    expect(output.logs[0]?.message).toMatch(/^plain \{ a: \[ ?1 ?\] \} 2n$/);
    expect(output.logs[2]?.message).toContain('TypeError: bad');
    expect(output.logs[4]?.message).toMatch(/counted.*3/);
  });

  test('has a clock, randomness and timers, and nothing of Node', async () => {
    const before = Date.now();
    const found = (await ampoule.result(
      `const began = Date.now(); await new Promise((resolve) => setTimeout(resolve, 30));
       return { now: began, later: Date.now() - began, id: crypto.randomUUID(), random: Math.random(),
         absent: [typeof globalThis.Deno, typeof Buffer] };`,
    )) as { now: number; later: number; id: string; random: number };
    expect(found.now).toBeGreaterThanOrEqual(before - 1_000);
    expect(found.later).toBeGreaterThanOrEqual(30);
    expect(found.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
    const again = (await ampoule.result('return Math.random();')) as number;
    expect(again).not.toBe(found.random);
  });

  test('sees no more of any stack than its own places', async () => {
    const stacks = (await ampoule.result(
      `const dig = (): unknown => dig(); const caught: string[] = [];
       for (const act of [() => null!.x, () => dig(), () => { throw new Error("own"); }, () => JSON.parse("{")]) {
         try { act(); } catch (e) { caught.push(e.stack); }
       }
       return caught;`,
    )) as string[];
    expect(stacks).toHaveLength(4);
    for (const stack of stacks) {
      for (const frame of stack.split('\n').slice(1)) expect(frame).toMatch(/program\.js:\d+:\d+\)?$/);
    }
  });

  test('is cached: the second run of the same program is a hit', async () => {
    const code = 'let sum = 0; for (let i = 0; i < 1000; i++) sum += i * i; return sum;';
    const first = await ampoule.execute(code);
    const second = await ampoule.execute(code);
    const third = await ampoule.execute(code);
    expect([first, second, third].map(({ output }) => output.usage.cache)).toEqual(['miss', 'hit', 'hit']);
    expect([first, second, third].map(({ output }) => output.result)).toEqual([332_833_500, 332_833_500, 332_833_500]);
    // The clock and the seed are inputs too, and have other digits each time: that much fuel may differ.
    const fuel = [first, second, third].map(({ output }) => output.usage.fuel);
    expect(Math.max(...fuel) / Math.min(...fuel)).toBeLessThan(1.05);
  });
});

describe('a session', () => {
  test('keeps what completed runs changed and forgets what failed runs changed', async () => {
    const first = await ampoule.execute(
      'import { getState } from "ampoule"; const s = getState<{ n?: number }>(); s.n = (s.n ?? 0) + 1; return s.n;',
      { session: 'new' },
    );
    const { session } = first.output;
    expect(session).toMatch(/^ses_/);
    const failing = await ampoule.execute('import { setState } from "ampoule"; setState("n", 99); throw new Error("no");', { session });
    expect(failing.output).toMatchObject({ status: 'failed', session });
    expect(await ampoule.result('import { getState } from "ampoule"; return getState();', { session })).toEqual({ n: 1 });
    expect(await ampoule.result('import { getState } from "ampoule"; return getState();')).toEqual({});
  });

  test('refuses the later of two runs that changed the same key of it at the same time', async () => {
    const { output } = await ampoule.execute('return 1;', { session: 'new' });
    const slow = 'import { setState, sleep } from "ampoule"; setState("by", input); await sleep(input); return input;';
    const answers = await Promise.all([300, 900].map((input) => ampoule.execute(slow, { input, session: output.session })));
    expect(answers.map((answer) => answer.output.error?.code ?? answer.output.status)).toEqual(['completed', 'ERR_SESSION_CONFLICT']);
    expect(await ampoule.result('import { getState } from "ampoule"; return getState();', { session: output.session })).toEqual({
      by: 300,
    });
  });

  test('is refused by a handle that was never given out', async () => {
    const { output, isError } = await ampoule.execute('return 1;', { session: 'ses_00000000000000000000000000000000' });
    expect(output).toMatchObject({ status: 'failed', error: { code: 'ERR_SESSION_UNKNOWN' } });
    expect(output.error?.hint).toContain('session: "new"');
    expect(isError).toBe(true);
  });
});

describe('host functions', () => {
  test('callTool reaches any allowed tool by its own name', async () => {
    const code = 'import { callTool } from "ampoule"; return callTool("everything", "echo", { message: "hi" });';
    expect(await ampoule.result(code)).toBe('Echo: hi');
  });

  test('readFile gives mounts as text and bytes, and the wrappers', async () => {
    const code = `import { readFile } from "ampoule";
      const bytes = await readFile("notes/one.txt", { as: "bytes" });
      return { text: await readFile("notes/one.txt"), bytes: bytes.length, kind: bytes.constructor.name,
        wrapper: (await readFile("servers/everything/getSum.ts")).includes("export function getSum(") };`;
    expect(await ampoule.result(code)).toEqual({ text: 'first note: grüße', bytes: 19, kind: 'Uint8Array', wrapper: true });
  });

  test.each([
    ['notes/../memory.jsonl', /^ERR_FILE_(PATH|DENIED|NOT_FOUND)$/],
    ['/etc/passwd', /^ERR_FILE_(PATH|NOT_FOUND)$/],
    ['notes/absent.txt', /^ERR_FILE_NOT_FOUND$/],
    ['servers/../../ampoule.json', /^ERR_FILE_(PATH|DENIED|NOT_FOUND)$/],
    ['servers/everything/getEnv.ts', /^ERR_FILE_NOT_FOUND$/],
    ['notes', /^ERR_FILE_(PATH|DENIED)$/],
  ])('readFile refuses %s', async (path, code) => {
    const program =
      'import { readFile } from "ampoule"; try { return await readFile(input); } catch (e) { return { code: e.code, text: String(e) }; }';
    const refused = (await ampoule.result(program, { input: path })) as { code: string };
    expect(refused.code).toMatch(code);
  });

  test('a ToolError can be caught and names everything; uncaught it fails the run at the place of the call', async () => {
    const call = 'addObservations({ observations: [{ entityName: "nobody", contents: ["x"] }] })';
    const caught = await ampoule.result(
      `import { ToolError } from "ampoule"; import { addObservations } from "servers/memory";
       try { await ${call}; return "no error"; }
       catch (e) { return { is: e instanceof ToolError, name: e.name, code: e.code, server: e.server, tool: e.tool, message: e.message }; }`,
    );
    const named = { name: 'ToolError', code: 'ERR_CALL_TOOL', server: 'memory', tool: 'add_observations' };
    expect(caught).toEqual({ is: true, ...named, message: 'Entity with name nobody not found' });
    const line = `  await ${call};`;
    const { output } = await ampoule.execute(
      `import { addObservations } from "servers/memory";\n\nasync function note() {\n${line}\n}\nawait note();`,
    );
    expect(output).toMatchObject({
      status: 'failed',
      error: {
        code: 'ERR_EXECUTE_THROWN',
        message: expect.stringContaining('Entity with name nobody not found'),
        location: { line: 4, source: line },
      },
      calls: [{ server: 'memory', tool: 'add_observations', ok: false, code: 'ERR_CALL_TOOL' }],
    });
  });
});

describe('content that is no text', () => {
  const isImage = (block: { type: string }): boolean => block.type === 'image';

  test('an image that a program returns reaches the client intact, once', async () => {
    const { output, content } = await ampoule.execute('import { getTinyImage } from "servers/everything"; return getTinyImage();');
    const images = content.filter(isImage);
    expect(images).toHaveLength(1);
    const data = images[0]?.data ?? '';
    expect(Buffer.from(data, 'base64').subarray(1, 4).toString()).toBe('PNG');
    expect(Buffer.from(data, 'base64').subarray(-8, -4).toString()).toBe('IEND');
    expect(JSON.stringify(output)).not.toContain(data.slice(0, 200));
    const place = content.findIndex(isImage);
    expect(output.result).toMatchObject({
      content: expect.arrayContaining([expect.objectContaining({ type: 'image', contentIndex: place })]),
    });
  });

  test('an image can be picked from the answer and returned alone or in a list', async () => {
    const pick = `import { getTinyImage } from "servers/everything";
      const { content } = await getTinyImage() as any; const image = content.find((b: any) => b.type === "image");`;
    const alone = await ampoule.execute(`${pick} return image;`);
    const listed = await ampoule.execute(`${pick} return ["before", image];`);
    expect(alone.content.map(({ type }) => type)).toEqual(['text', 'image']);
    expect(listed.content.map(({ type }) => type)).toEqual(['text', 'image']);
    expect(listed.output.result).toMatchObject(['before', { type: 'image', contentIndex: 1 }]);
  });

  test('resource links and resources come through as they are', async () => {
    const { content } = await ampoule.execute(
      'import { getResourceLinks } from "servers/everything"; return getResourceLinks({ count: 2 });',
    );
    expect(content.filter(({ type }) => type === 'resource_link')).toHaveLength(2);
  });
});
