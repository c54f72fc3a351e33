import { readdirSync, statSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LANES } from '../server/clients.ts';
import { answerOf, fixture, startAmpoule, temporary, type Ampoule } from './harness.ts';

const MiB = 1024 * 1024;
let ampoule: Ampoule;
beforeAll(
  async () =>
    void (ampoule = await startAmpoule({ check: 'off', mcpServers: { media: fixture('media') }, limits: { maxToolResultBytes: 262_144 } })),
);
// Whatever a program returned: the server is still the same, and still answers.
afterAll(async () => {
  // oxlint-disable-next-line vitest/no-standalone-expect -- it holds for the tests above as a whole
  expect(await ampoule.result('return 2 + 2;')).toBe(4);
  await ampoule.stop();
});

function linkOf({ content }: { content: readonly { type: string; uri?: string }[] }): string {
  return content.find(({ type }) => type === 'resource_link')?.uri ?? '';
}

describe('a result that is too large for its answer', () => {
  test.each(LANES)('comes as a preview with a link to the whole, which is read in pages: %s', async (lane) => {
    const client = await ampoule.connect(lane);
    const code = 'return Array.from({ length: 100000 }, (_, id) => ({ id, name: "item " + id, tags: ["a", "b"] }));';
    const answer = answerOf(await client.call({ code }));
    const { result, kept = [], status } = answer.output;
    expect(status).toBe('completed');
    expect(JSON.stringify(result).length).toBeLessThan(10_000);
    expect((result as object[])[0]).toEqual({ id: 0, name: 'item 0', tags: ['a', 'b'] });
    expect(kept).toMatchObject([{ what: 'result', shortened: [{ path: '$', of: 100_000, unit: 'items' }] }]);
    expect(kept[0]?.shortened[0]?.shown).toBe((result as object[]).length);
    expect(linkOf(answer)).toBe(kept[0]?.uri);
    const page = await client.readWhole(`${linkOf(answer)}?offset=99990&limit=5`);
    expect(JSON.parse(page.contents[0]?.text ?? '')).toMatchObject([{ id: 99_990 }, {}, {}, {}, { id: 99_994 }]);
    expect(page.contents[1]?.text).toContain(`Next page: ${linkOf(answer)}?offset=99995&limit=5`);
    expect(page._meta).toMatchObject({ 'ampoule/page': { unit: 'items', offset: 99_990, shown: 5, total: 100_000 } });
  });

  test('of 50 MB holds nobody up, and is there to the last byte', async () => {
    const other = await ampoule.connect();
    const waits: number[] = [];
    const over = new AbortController();
    const others = (async () => {
      while (!over.signal.aborted) {
        const began = performance.now();
        // Answered by the gateway alone: no worker is asked.
        await (await fetch(new URL('/health', ampoule.url))).text();
        waits.push(performance.now() - began);
      }
    })();
    const code = 'const line = "0123456789".repeat(10); return Array.from({ length: 480000 }, (_, i) => line + i);';
    const answer = await ampoule.execute(code, { limits: { timeoutMs: 120_000 } });
    over.abort();
    await others;
    const [kept] = answer.output.kept ?? [];
    expect(answer.output.status).toBe('completed');
    expect(kept?.bytes).toBeGreaterThan(50_000_000);
    expect(JSON.stringify(answer).length).toBeLessThan(20_000);
    const last = await other.readWhole(`${kept?.uri}?offset=479999`);
    expect(JSON.parse(last.contents[0]?.text ?? '')).toEqual([`${'0123456789'.repeat(10)}479999`]);
    // Far more than it takes, because the machine has other things to do.
    expect(Math.max(...waits)).toBeLessThan(400);
  });

  test.each([
    ['just under', 65_534, undefined, 65_534],
    ['just over', 65_535, ['$'], 4_001],
  ])('begins %s the limit of an answer', async (_name, characters, shortened, shown) => {
    const { output } = await ampoule.execute(`return "x".repeat(${characters});`);
    expect(output.status).toBe('completed');
    expect(output.kept?.[0]?.shortened.map(({ path }) => path)).toEqual(shortened);
    expect(output.result).toHaveLength(shown);
  });

  test.each([
    ['just under', 64 * MiB - 2, 'completed'],
    ['just over', 64 * MiB - 1, 'ERR_EXECUTE_RESULT_TOO_LARGE'],
  ])('%s the limit of what is kept is %s', async (_name, characters, end) => {
    const { output } = await ampoule.execute(`return "x".repeat(${characters});`);
    expect(output.error?.code ?? output.status).toBe(end);
  });

  test('is read back by a later program, in pieces', async () => {
    const { output } = await ampoule.execute('return Array.from({ length: 50000 }, (_, id) => ({ id, square: id * id }));');
    const uri = output.kept?.[0]?.uri ?? '';
    const code = `import { readFile } from "ampoule";
      const piece = JSON.parse(await readFile(input + "?offset=40000&limit=3"));
      const whole = JSON.parse(await readFile(input));
      return { piece, last: whole.at(-1), length: whole.length };`;
    // By its path, and by the URI that stands in the answer.
    for (const path of [uri.slice('ampoule://'.length), uri]) {
      expect(await ampoule.result(code, { input: path })).toEqual({
        piece: [40_000, 40_001, 40_002].map((id) => ({ id, square: id * id })),
        last: { id: 49_999, square: 49_999 ** 2 },
        length: 50_000,
      });
    }
  });

  test.each([
    ['an id that nobody has', `results/${'0'.repeat(32)}`],
    ['a path', 'results/../sessions.db'],
    ['a URI with a path', 'ampoule://results/../sessions.db'],
    ['a folder', 'results/'],
    ['a form', `results/${'0'.repeat(32)}.json`],
  ])('is not to be had by %s, and no name of another is told', async (_name, path) => {
    const code =
      'import { readFile } from "ampoule"; try { return await readFile(input); } catch (error) { return { code: error.code, text: String(error.message) + error.hint }; }';
    const told = (await ampoule.result(code, { input: path })) as { code: string; text: string };
    expect(told.code).toBe('ERR_RESULT_UNKNOWN');
    for (const name of readdirSync(join(ampoule.directory, 'cache', 'results'))) expect(told.text).not.toContain(name);
  });

  test('is in a file that only its owner may read', () => {
    const folder = join(ampoule.directory, 'cache', 'results');
    const [principal = ''] = readdirSync(folder);
    expect(statSync(join(folder, principal)).mode & 0o777).toBe(0o700);
    const [file = ''] = readdirSync(join(folder, principal));
    expect(statSync(join(folder, principal, file)).mode & 0o777).toBe(0o600);
  });

  test.each(LANES)('has no page behind its end, no page of a word, and is nothing under another name: %s', async (lane) => {
    const client = await ampoule.connect(lane);
    const uri = linkOf(answerOf(await client.call({ code: 'return Array.from({ length: 20000 }, (_, id) => id);' })));
    await expect(client.readWhole(`${uri}?offset=20000`)).rejects.toThrow(
      /ERR_SERVER_INPUT: offset 20000 is past the end: there are 20000 items/,
    );
    await expect(client.readWhole(`${uri}?offset=first`)).rejects.toThrow(/ERR_SERVER_INPUT: "offset" must be a whole number/);
    await expect(client.readWhole(`ampoule://results/${'f'.repeat(32)}`)).rejects.toThrow(/ERR_RESULT_UNKNOWN/);
  });
});

describe('a long log', () => {
  test.each(LANES)('comes with its first and last lines and a link to all: %s', async (lane) => {
    const client = await ampoule.connect(lane);
    const answer = answerOf(
      await client.call({ code: 'for (let i = 0; i < 5000; i++) console.log("line " + i, "y".repeat(100)); return 1;' }),
    );
    const { logs, kept = [], result } = answer.output;
    expect(result).toBe(1);
    expect(logs[0]?.message).toMatch(/^line 0 /);
    expect(logs.at(-1)?.message).toMatch(/^line 4999 /);
    expect(logs.some(({ message }) => /lines of the log are left out here/.test(message))).toBe(true);
    expect(kept).toMatchObject([{ what: 'logs', shortened: [{ path: '$.logs', shown: logs.length - 1, of: 5_000, unit: 'lines' }] }]);
    const page = await client.readWhole(`${kept[0]?.uri}?offset=2500&limit=1`);
    expect(JSON.parse(page.contents[0]?.text ?? '')).toMatchObject({ level: 'info', message: expect.stringMatching(/^line 2500 /) });
  });
});

describe('an answer of a tool that is too large', () => {
  test('is an error that names the file with the whole, which the same program reads', async () => {
    const code = `import { callTool, readFile } from "ampoule";
      try { await callTool("media", "rows", { count: 20000 }); }
      catch (error) {
        const path = error.content[1].name;
        const whole = JSON.parse(await readFile(path));
        return { code: error.code, named: error.message.includes(path), preview: JSON.parse(error.content[0].text).rows[0], rows: whole.rows.length };
      }`;
    const { output } = await ampoule.execute(code);
    expect(output.result).toEqual({ code: 'ERR_UPSTREAM_TOO_LARGE', named: true, preview: { id: 0, text: 'row 0' }, rows: 20_000 });
    expect(output.kept).toMatchObject([{ what: 'call', shortened: [{ path: '$.rows', of: 20_000 }] }]);
  });
});

test('an answer of a tool that is too large to be read at all is kept as it came, and what it says is found in it', async () => {
  const code = `import { callTool, readFile } from "ampoule";
    try { await callTool("media", "rows", { count: 800000 }); }
    catch (error) { return { code: error.code, begins: await readFile(error.content[1].name + "?offset=0&limit=20&unit=bytes") }; }`;
  const { output } = await ampoule.execute(code, { limits: { waitMs: 60_000 } });
  expect(output.result).toEqual({ code: 'ERR_UPSTREAM_TOO_LARGE', begins: '{"rows":[{"id":0,"te' });
  expect(output.kept?.[0]).toMatchObject({ what: 'call', shortened: [{ path: '$.rows', of: 800_000 }] });
  expect(output.kept?.[0]?.bytes).toBeGreaterThan(20_000_000);
});

test('a server that can keep nothing still answers with the preview, and says why', async () => {
  await using folder = await temporary();
  await mkdir(join(folder.path, 'cache'));
  // A file where the folder has to be: no rights of this user are in the way of that.
  await writeFile(join(folder.path, 'cache', 'results'), '');
  const server = await startAmpoule({ check: 'off', mcpServers: {} }, { directory: folder.path });
  try {
    const { output, content } = await server.execute('console.log("y".repeat(200000)); return "x".repeat(200000);');
    expect(output).toMatchObject({
      status: 'completed',
      result: expect.stringMatching(/^x+…$/),
      warnings: [
        { code: 'WARN_RESULT_NOT_KEPT', message: expect.stringContaining('ERR_RESULT_STORE') },
        { code: 'WARN_RESULT_NOT_KEPT', message: expect.stringContaining('ERR_RESULT_STORE') },
      ],
    });
    expect(output.kept).toBeUndefined();
    expect(content).toHaveLength(1);
    expect(server.stderr).toContain('cannot be kept');
  } finally {
    await server.stop();
  }
});

test('what was kept is there for another server of the same folder, and is gone when its time is over', async () => {
  await using folder = await temporary();
  const code = 'return Array.from({ length: 50000 }, (_, id) => id);';
  const first = await startAmpoule({ check: 'off', mcpServers: {} }, { directory: folder.path });
  const [lasting] = (await first.execute(code)).output.kept ?? [];
  await first.stop();
  const second = await startAmpoule({ check: 'off', mcpServers: {}, limits: { resultTtlMs: 1_000 } }, { directory: folder.path });
  try {
    const client = await second.connect();
    const [short] = (await second.execute(code)).output.kept ?? [];
    await sleep(Math.max(0, Date.parse(short?.expiresAt ?? '') - Date.now()) + 200);
    await expect(client.readWhole(`${short?.uri}?offset=3&limit=2`)).rejects.toThrow(/ERR_RESULT_UNKNOWN/);
    expect((await client.readWhole(`${lasting?.uri}?offset=3&limit=1`)).contents[0]?.text).toBe('[3]');
  } finally {
    await second.stop();
  }
});
