import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { SandboxError } from '../../src/errors.ts';
import { openKeptResults } from '../../src/kept-result/kept-results.ts';
import { changeStrings, decodeString } from '../../src/result/json-strings.ts';
import type { Keep } from '../../src/result/keep.ts';
import { executeOutputSchema } from '../../src/result/output-schema.ts';
import type { ExecuteResponse, OutcomeInput } from '../../src/result/present.ts';
import { PNG } from '../server/canned-port.ts';
import { present, textOf } from './outcome-fixture.ts';

const directory = mkdtempSync(join(tmpdir(), 'ampoule-large-'));
const store = await openKeptResults({ directory, maxBytes: 500_000_000, ttlMs: 60_000 });
afterAll(() => {
  store.close();
  rmSync(directory, { recursive: true, force: true });
});
const keep: Keep = (bytes, pages) => store.keep('ann', bytes, pages);

function presentJson(json: string | Uint8Array, more: Partial<OutcomeInput> = {}): Promise<ExecuteResponse> {
  const large = typeof json === 'string' ? {} : { large: { result: json } };
  return present({ status: 'completed', result: typeof json === 'string' ? json : '', state: '' }, large, {}, { keep, ...more });
}

function large(value: unknown, more: Partial<OutcomeInput> = {}): Promise<ExecuteResponse> {
  return presentJson(Buffer.from(JSON.stringify(value)), more);
}

/** The whole of what an answer says is kept. */
function whole({ structured }: ExecuteResponse, what = 'result'): string {
  const { uri = '', bytes = 0 } = structured.kept?.find((item) => item.what === what) ?? {};
  const id = uri.slice('ampoule://results/'.length);
  return Buffer.from(store.read('ann', id, 'unit=bytes', { maxBytes: bytes, maxMediaBytes: bytes }).bytes).toString();
}

const VALUES: [string, unknown][] = [
  ['a list of numbers', Array.from({ length: 40_000 }, (_, index) => index)],
  ['a list of lists', Array.from({ length: 300 }, () => Array.from({ length: 200 }, (_, index) => index))],
  ['an object of many keys', Object.fromEntries(Array.from({ length: 9_000 }, (_, index) => [`key ${index}`, { index }]))],
  ['a text', 'é€😀\n"\\ \u0001'.repeat(20_000)],
  ['long texts in an object', { a: 'x'.repeat(80_000), b: { c: 'y'.repeat(80_000) }, d: [1, null, true, -1.5e-7] }],
  ['keys like __proto__', JSON.parse(`{"__proto__":{"a":"${'x'.repeat(120_000)}"},"constructor":1,"":2}`)],
  ['a long key', { ['k'.repeat(150_000)]: 1, b: 2 }],
  ['escapes', ['\u2028\u0000"\\'.repeat(30_000), '\ud800', 'a\\']],
];

describe('a result that is too large', () => {
  test.each(VALUES)('comes as a preview of the same shape: %s', async (_name, value) => {
    const response = await large(value);
    const { structured } = response;
    expect(structured.status).toBe('completed');
    expect(executeOutputSchema.parse(structured)).toEqual(structured);
    expect(Buffer.byteLength(JSON.stringify(structured.result))).toBeLessThanOrEqual(8 * 1024);
    expect(Array.isArray(structured.result)).toBe(Array.isArray(value));
    expect(typeof structured.result).toBe(typeof value);
    expect(structured.kept?.[0]?.shortened.length).toBeGreaterThan(0);
    expect(whole(response)).toBe(typeof value === 'string' ? value : JSON.stringify(value));
    expect(Object.hasOwn(Object.prototype, 'a')).toBe(false);
  });

  test('says by path how much of what it leaves out', async () => {
    const { structured } = await large({ rows: Array.from({ length: 5_000 }, (_, id) => ({ id, text: 'x'.repeat(3_000) })), total: 5_000 });
    const [kept] = structured.kept ?? [];
    const { rows, total } = structured.result as { rows: { id: number; text: string }[]; total: number };
    expect(total).toBe(5_000);
    expect(kept?.shortened[0]).toEqual({ path: '$.rows', shown: rows.length, of: 5_000, unit: 'items' });
    expect(kept?.shortened[1]).toEqual({ path: '$.rows[0].text', shown: rows[0]!.text.length - 1, of: 3_000, unit: 'characters' });
    expect(rows[0]?.text.endsWith('…')).toBe(true);
  });

  test('is whole where it is just within the limits, by bytes, depth and values', async () => {
    expect((await presentJson(JSON.stringify('x'.repeat(99_998)))).structured.kept).toBeUndefined();
    expect((await presentJson(JSON.stringify('x'.repeat(99_999)))).structured.kept).toHaveLength(1);
    expect((await presentJson(`${'['.repeat(50)}${']'.repeat(50)}`)).structured.kept).toBeUndefined();
    expect((await presentJson(`${'['.repeat(51)}${']'.repeat(51)}`)).structured.kept).toHaveLength(1);
    expect((await presentJson(JSON.stringify(Array.from({ length: 9_999 }, () => 1)))).structured.kept).toBeUndefined();
    expect((await presentJson(JSON.stringify(Array.from({ length: 10_000 }, () => 1)))).structured.kept).toHaveLength(1);
  });

  test('has its text form too', async () => {
    const response = await large(VALUES[0]![1], { form: 'text' });
    const [kept] = response.structured.kept ?? [];
    expect(textOf(response)).toContain('\nresult, shortened: [0,1,2,');
    expect(textOf(response)).toContain(`the result is shortened; the whole: ${kept?.uri} (`);
    expect(textOf(response)).toContain(`of 40000 items`);
    expect(textOf(response)).toContain('1 content block follows');
  });

  test('that cannot be kept is shown all the same, with a warning', async () => {
    const full: Keep = () => Promise.reject(new SandboxError('ERR_RESULT_STORE', 'The disk is full.'));
    const { structured, content } = await large(VALUES[0]![1], { keep: full });
    expect(structured).toMatchObject({
      status: 'completed',
      warnings: [{ code: 'WARN_RESULT_NOT_KEPT', message: expect.stringContaining('ERR_RESULT_STORE: The disk is full.') }],
    });
    expect(structured.kept).toBeUndefined();
    expect(content).toHaveLength(1);
  });

  test.each(['{', '[1,2', `["${'x'.repeat(200_000)}`, '[1] [2]', '[01x]', 'nul', `{"a":}`, ']', '[1,2,]x'])(
    'and is no JSON is an error or at least no crash: %s',
    async (text) => {
      const { structured } = await presentJson(Buffer.from(text));
      expect(structured.error?.code ?? typeof JSON.stringify(structured.result)).toMatch(/^(?:ERR_EXECUTE_RESULT_INVALID|string)$/);
    },
  );

  test('of 50 MB of brackets, of one text, of numbers or of nesting takes no turn of more than some tens of milliseconds', async () => {
    const texts = [
      `[${'[],'.repeat(16_000_000)}1]`,
      `["${'x'.repeat(50_000_000)}"]`,
      `[${'1,'.repeat(25_000_000)}1]`,
      `${'['.repeat(25_000_000)}${']'.repeat(25_000_000)}`,
    ];
    for (const text of texts) {
      const bytes = Buffer.from(text);
      let worst = 0;
      let isOver = false;
      // Time of this thread, because the machine has other things to do.
      const spent = (): number => {
        const { user, system } = process.threadCpuUsage();
        return (user + system) / 1_000;
      };
      let last = spent();
      const tick = (): void => {
        const now = spent();
        worst = Math.max(worst, now - last);
        last = now;
        if (!isOver) setImmediate(tick);
      };
      setImmediate(tick);
      const { structured } = await presentJson(bytes);
      isOver = true;
      expect(structured.status).toBe('completed');
      expect(worst).toBeLessThan(100);
    }
  });
});

describe('what is hidden', () => {
  const hide = (text: string): string => text.replaceAll(/ann@example\.org/g, '<mail 1>');

  test('is hidden in everything that leaves: result, logs, errors, previews and what is kept', async () => {
    const people = Array.from({ length: 4_000 }, (_, id) => ({
      id,
      mail: 'ann@example.org',
      'ann@example.org': 'a long line of text '.repeat(3),
    }));
    const response = await present(
      { status: 'completed', result: '', state: '' },
      {
        large: {
          result: Buffer.from(JSON.stringify(people)),
          logs: Buffer.from(`${JSON.stringify({ level: 'info', message: 'to ann@example.org' })}\n`.repeat(5_000)),
        },
        calls: [{ server: 's', tool: 'ann@example.org', ok: false, ms: 1 }],
      },
      {},
      { keep, hide },
    );
    expect(JSON.stringify(response)).not.toContain('ann@');
    expect(whole(response)).not.toContain('ann@');
    expect(JSON.parse(whole(response))).toHaveLength(4_000);
    expect(whole(response, 'logs')).not.toContain('ann@');
    const small = await present({ status: 'completed', result: '{"mail":"ann@example.org"}', state: '' }, {}, {}, { hide });
    expect(small.structured.result).toEqual({ mail: '<mail 1>' });
    const failed = await present(
      { status: 'failed', code: 'ERR_EXECUTE_THROWN', message: 'no ann@example.org', hint: 'ask ann@example.org' },
      {},
      {},
      { hide },
    );
    expect(JSON.stringify(failed)).not.toContain('ann@');
  });

  test('is hidden in what is told of content that is none', async () => {
    const value = { 'ann@example.org': { type: 'image', mimeType: 'image/png', data: 'aGVsbG8=' } };
    for (const more of [{}, { filler: 'x'.repeat(200_000) }]) {
      const { structured } = await presentJson(JSON.stringify({ ...value, ...more }), { hide });
      expect(structured.warnings).toMatchObject([{ code: 'WARN_CONTENT_INVALID', message: expect.stringContaining('$.<mail 1> ') }]);
      expect(JSON.stringify(structured)).not.toContain('ann@');
    }
  });

  test('is hidden in every text of a content block', async () => {
    const mail = 'ann@example.org';
    const link = { type: 'resource_link', uri: `mailto:${mail}`, name: mail, title: mail, description: mail, _meta: { from: [mail] } };
    const page = { type: 'resource', resource: { uri: `mem://${mail}`, mimeType: 'text/plain', text: mail, _meta: { [mail]: mail } } };
    for (const more of [{}, { filler: 'x'.repeat(200_000) }]) {
      const response = await presentJson(JSON.stringify({ link, page, ...more }), { hide });
      expect(response.content.map(({ type }) => type).slice(0, 3)).toEqual(['text', 'resource_link', 'resource']);
      expect(JSON.stringify(response)).not.toContain(mail);
      expect(JSON.stringify(response.content)).toContain('mailto:<mail 1>');
    }
  });

  test('does not break images', async () => {
    const image = { type: 'image', mimeType: 'image/png', data: PNG };
    const { content } = await presentJson(JSON.stringify([image]), { hide: (text) => text.replaceAll('A', 'B') });
    expect(content[1]).toEqual(image);
  });
});

describe('the strings of a large text', () => {
  test('are changed one by one, and a text of which none changes is the same memory', async () => {
    const value = { 'a b': ['x', 'xx\n"x', { y: 'é€😀x'.repeat(100_000) }], n: 1 };
    const bytes = Buffer.from(JSON.stringify(value));
    const changed = await changeStrings(bytes, (text) => text.replaceAll('x', '"\\'));
    expect(Buffer.from(changed).toString()).toBe(JSON.stringify(value).replaceAll('x', '\\"\\\\'));
    expect(await changeStrings(bytes, (text) => text)).toBe(bytes);
  });

  test.each([
    ['text', 'é€😀\n"\\'.repeat(50_000)],
    ['nothing but escapes', '\u0001'.repeat(100_000)],
    ['blanks', ' '.repeat(300_000)],
  ])('are decoded as they were written: %s', async (_name, text) => {
    const bytes = Buffer.from(JSON.stringify(text));
    expect(Buffer.from(await decodeString(bytes, { start: 1, end: bytes.length - 1 })).toString()).toBe(text);
  });

  test('written with escapes for characters outside the base plane are put together again', async () => {
    const bytes = Buffer.from(`"${'\\ud83d\\ude00'.repeat(20_000)}"`);
    expect(Buffer.from(await decodeString(bytes, { start: 1, end: bytes.length - 1 })).toString()).toBe('😀'.repeat(20_000));
  });
});

describe('images that are too large for an answer', () => {
  const png = (bytes: number): string => Buffer.concat([Buffer.from(PNG, 'base64'), Buffer.alloc(bytes)]).toString('base64');

  test('are kept and linked, those that fit go along', async () => {
    const image = (bytes: number): object => ({ type: 'image', mimeType: 'image/png', data: png(bytes) });
    const { content, structured } = await large({ small: image(100_000), big: image(1_000_000), text: 'x' });
    expect(content.map(({ type }) => type)).toEqual(['text', 'image', 'resource_link']);
    expect(structured.result).toEqual({
      small: { type: 'image', mimeType: 'image/png', bytes: 100_070, contentIndex: 1 },
      big: { type: 'image', mimeType: 'image/png', uri: structured.kept?.[0]?.uri, bytes: 1_000_070, contentIndex: 2 },
      text: 'x',
    });
    expect(structured.kept).toMatchObject([{ what: 'content', bytes: 1_000_070 }]);
  });

  test('a block with thousands of values in it is data, because a block is parsed at once', async () => {
    const junk = (count: number): object => ({
      type: 'image',
      mimeType: 'image/png',
      data: PNG,
      junk: Array.from({ length: count }, () => 1),
    });
    expect((await large([junk(900), 'x'.repeat(200_000)])).content.map(({ type }) => type)).toEqual(['text', 'image', 'resource_link']);
    expect((await large([junk(1_100), 'x'.repeat(200_000)])).content.map(({ type }) => type)).toEqual(['text', 'resource_link']);
  });

  test.each([
    ['just within', 0, 'image'],
    ['just over', 1, 'resource_link'],
  ])('begin %s the limit of content', async (_name, more, type) => {
    const value = { type: 'image', mimeType: 'image/png', data: png(900_000) };
    const limit = JSON.stringify(value).length - more;
    const bytes = Buffer.from(JSON.stringify([value]));
    const response = await present(
      { status: 'completed', result: '', state: '' },
      { large: { result: bytes } },
      { maxContentBytes: limit },
      { keep },
    );
    expect(response.content.map((block) => block.type)).toEqual(['text', type]);
  });

  test.each([
    ['base64', { type: 'image', mimeType: 'image/png', data: `${png(1_500_000).slice(0, -8)}!!!!AAAA` }],
    ['first bytes', { type: 'image', mimeType: 'image/jpeg', data: png(1_500_000) }],
  ])('but are none are plain data with a warning: %s', async (reason, value) => {
    const { structured, content } = await large({ value });
    expect(structured.warnings).toMatchObject([{ code: 'WARN_CONTENT_INVALID', message: expect.stringContaining(reason) }]);
    expect(content.map(({ type }) => type)).toEqual(['text', 'resource_link']);
    expect(structured.kept).toMatchObject([{ what: 'result', shortened: [{ path: '$.value.data' }] }]);
  });
});
