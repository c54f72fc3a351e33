import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect, LANES, type TestClient } from '../server/clients.ts';
import { answerOf, fixture, MAIN, startAmpoule, temporary, writeConfig, type Ampoule } from './harness.ts';

let ampoule: Ampoule;
beforeAll(async () => void (ampoule = await startAmpoule({ check: 'off', mcpServers: { media: fixture('media') } })));
afterAll(() => ampoule.stop());

function linkOf({ content }: { content: readonly { type: string; uri?: string }[] }): string {
  return content.find(({ type }) => type === 'resource_link')?.uri ?? '';
}

describe('images and the like', () => {
  test.each(LANES)('of a tool reach the client as content, and no base64 is anywhere else: %s', async (lane) => {
    const client = await ampoule.connect(lane);
    const code = `import { callTool } from "ampoule";
      const answer = await callTool("media", "image", { bytes: 100000 });
      const [, image] = answer.content;
      console.log("got", answer);
      const sound = await callTool("media", "audio");
      return { title: "a chart", image, sound };`;
    const answer = answerOf(await client.call({ code }));
    expect(answer.content.map(({ type }) => type)).toEqual(['text', 'image', 'audio']);
    expect(Buffer.byteLength(answer.content[1]?.data ?? '', 'base64')).toBe(100_070);
    expect(answer.output.result).toMatchObject({
      title: 'a chart',
      image: { type: 'image', mimeType: 'image/png', bytes: 100_070, contentIndex: 1 },
    });
    expect(answer.output.kept).toBeUndefined();
    expect(JSON.stringify(answer.output)).not.toContain('iVBORw0KGgo'.repeat(1));
  });

  test('that are larger than an answer may be are kept and linked, with their type', async () => {
    const client = await ampoule.connect();
    const answer = answerOf(
      await client.call({
        code: 'const png = "iVBORw0KGgoAAAAN" + "AAAA".repeat(500000); return { image: { type: "image", mimeType: "image/png", data: png } };',
      }),
    );
    expect(answer.content[1]).toMatchObject({ type: 'resource_link', mimeType: 'image/png', name: 'image.png', size: 1_500_012 });
    expect(answer.output).toMatchObject({
      status: 'completed',
      result: { image: { type: 'image', bytes: 1_500_012, contentIndex: 1 } },
      kept: [{ what: 'content' }],
    });
    const { contents } = await client.readWhole(linkOf(answer));
    expect(contents).toHaveLength(1);
    expect(Buffer.from(contents[0]?.blob ?? '', 'base64')).toHaveLength(1_500_012);
  });

  test('that are none are plain data with a warning', async () => {
    const { output, content } = await ampoule.execute('import { callTool } from "ampoule"; return callTool("media", "broken");');
    expect(content).toHaveLength(1);
    expect(output).toMatchObject({ status: 'completed', result: { content: [{ type: 'image', data: 'this is no image' }] } });
    expect(output.warnings).toMatchObject([{ code: 'WARN_CONTENT_INVALID' }]);
  });
});

describe('logs as notifications', () => {
  test.each(LANES)('come where they were asked for, in order and from the level on, and nowhere else: %s', async (lane) => {
    const client: TestClient = await ampoule.connect(lane);
    const code = 'console.debug("d"); console.log("i"); console.warn("w"); console.error("e"); return 1;';
    await client.call({ code });
    expect(client.logged()).toEqual([]);
    await client.setLogLevel('info');
    await client.call({ code });
    expect(client.logged().map(({ level, data }) => `${level} ${String(data)}`)).toEqual(['info i', 'warning w', 'error e']);
  });
});

describe('progress', () => {
  test.each(LANES)('tells the phase, the calls and the share of the limits: %s', async (lane) => {
    const client = await ampoule.connect(lane);
    const told: string[] = [];
    const code =
      'import { callTool, sleep } from "ampoule"; for (let i = 0; i < 3; i++) { await callTool("media", "audio"); await sleep(300); } return 1;';
    await client.call({ code, limits: { maxToolCalls: 10 } }, { onprogress: ({ message = '' }) => void told.push(message) });
    expect(told.at(-1)).toMatch(/^Running: 3 tool calls \(30 % of 10\), [\d.]+ s \(\d+ % of the time\)$/);
  });
});

describe.each(LANES.filter((lane) => lane !== 'v2 client, 2025-11-25'))('over stdio, %s', (lane) => {
  test('large results, images, progress and logs are as over HTTP', async () => {
    await using folder = await temporary();
    const config = await writeConfig(folder.path, { check: 'off', mcpServers: { media: fixture('media') }, log: { level: 'silent' } });
    const client = await connect(lane, { program: MAIN, args: ['serve', '--stdio', '--config', config] });
    try {
      const told: string[] = [];
      const code =
        'import { callTool } from "ampoule"; console.log("hello"); return [(await callTool("media", "image")).content[1], "x".repeat(100000)];';
      const answer = answerOf(await client.call({ code }, { onprogress: ({ message = '' }) => void told.push(message) }));
      expect(answer.content.map(({ type }) => type)).toEqual(['text', 'image', 'resource_link']);
      expect(answer.output.kept).toMatchObject([{ what: 'result', shortened: [{ path: '$[1]', unit: 'characters', of: 100_000 }] }]);
      expect(told[0]).toBe('Checking');
      await expect(client.readWhole(`${linkOf(answer)}?offset=1&limit=1`)).rejects.toThrow(
        /ERR_SERVER_INPUT: Item 1 alone is larger than 65536 bytes/,
      );
      const { contents } = await client.readWhole(`${linkOf(answer)}?unit=bytes&offset=100000`);
      expect(contents[0]?.text).toMatch(/^x+"\]$/);
      await client.setLogLevel('info');
      await client.call({ code: 'console.log("hello");' });
      expect(client.logged()).toMatchObject([{ level: 'info', data: 'hello' }]);
    } finally {
      await client.close();
    }
  });
});

test('a client of a revision without structured content gets everything as text, and one line where the operator wants it so', async () => {
  const call = async (version: string): Promise<{ text: string; structured: Record<string, unknown> }> => {
    const response = await fetch(ampoule.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', 'mcp-protocol-version': version },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name: 'execute_code', arguments: { code: 'return { a: [1, 2] };' } },
      }),
    });
    const { result } = JSON.parse(/^data: (.*)$/m.exec(await response.text())?.[1] ?? '{}') as {
      result: { content: { text: string }[]; structuredContent: Record<string, unknown> };
    };
    return { text: result.content[0]?.text ?? '', structured: result.structuredContent };
  };
  const old = await call('2025-03-26');
  expect(old.text).toContain('"a": [');
  expect(old.structured).toMatchObject({ status: 'completed', restIn: 'text' });
  expect(old.structured).not.toHaveProperty('result');
  const newer = await call('2025-06-18');
  expect(newer.text).toBe('completed; the answer is in structuredContent');
  expect(newer.structured).toMatchObject({ result: { a: [1, 2] } });
});
