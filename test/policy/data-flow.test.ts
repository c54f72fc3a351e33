import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codeOf, desk, tool, wordsOf } from './policies.ts';

const SERVERS = { mail: [tool('read'), tool('send')], web: [tool('post'), tool('get')], files: [tool('write')] };
const RULE = { dataFlow: [{ from: ['mail.*'], to: ['web.*'] }] };
const SECRET = 'The launch is on 12 March in Geneva';

function office(given: unknown = RULE, answer: unknown = { items: [{ body: SECRET, id: 4_711_000_815 }] }): ReturnType<typeof desk> {
  return desk(given, SERVERS, ({ server }) => (server === 'mail' ? answer : { ok: true }));
}

describe('what came from one side', () => {
  test('is not sent to the other, and the error names rule, tool and path and never the value', async () => {
    const { begin, sent } = office();
    const run = begin();
    await run.call('mail.read');
    const answer = await run.call('web.post', { body: { lines: ['fine', `fyi: ${SECRET}`] } });
    expect(codeOf(answer)).toBe('ERR_CALL_DATA_FLOW');
    expect(wordsOf(answer)).toContain(
      'The rule "mail.* to web.*" keeps data from web.post: $.body.lines[1] in the arguments holds some of what mail.* answered.',
    );
    expect(wordsOf(answer)).not.toContain('launch');
    expect(sent.map(({ server }) => server)).toEqual(['mail']);
  });

  test('a key that carries it is named by where it is', async () => {
    const run = office().begin();
    await run.call('mail.read');
    const answer = await run.call('web.post', { a: { [SECRET]: 1 } });
    expect(wordsOf(answer)).toContain('a key of $.a in the arguments holds');
    expect(wordsOf(answer)).not.toContain('launch');
  });

  test('a number too', async () => {
    const run = office().begin();
    await run.call('mail.read');
    expect(codeOf(await run.call('web.get', { n: 4_711_000_815 }))).toBe('ERR_CALL_DATA_FLOW');
    expect(codeOf(await run.call('web.get', { n: 4_711_000_816 }))).toBe('ok');
  });

  test('goes everywhere else, and other data goes there', async () => {
    const run = office().begin();
    await run.call('mail.read');
    expect(codeOf(await run.call('files.write', { text: SECRET }))).toBe('ok');
    expect(codeOf(await run.call('mail.send', { text: SECRET }))).toBe('ok');
    expect(codeOf(await run.call('web.post', { text: 'Nothing of interest to anybody' }))).toBe('ok');
    expect(codeOf(await office().begin().call('web.post', { text: SECRET }))).toBe('ok');
  });

  test('is watched in errors that a source answers', async () => {
    const run = office(RULE, new Error(`no such mail: ${SECRET}`)).begin();
    expect(codeOf(await run.call('mail.read'))).toBe('ERR_CALL_TOOL');
    expect(codeOf(await run.call('web.post', { text: SECRET }))).toBe('ERR_CALL_DATA_FLOW');
  });

  test('is not spent from a budget when it is held back', async () => {
    const run = office({ ...RULE, servers: { web: { maxCalls: 1 } } }).begin();
    await run.call('mail.read');
    expect(codeOf(await run.call('web.post', { text: SECRET }))).toBe('ERR_CALL_DATA_FLOW');
    expect(codeOf(await run.call('web.post', { text: 'other' }))).toBe('ok');
  });

  test('is sent with a warning where the rule only warns, once for each place', async () => {
    const { begin, sent } = office({ dataFlow: [{ ...RULE.dataFlow[0], action: 'warn', name: 'keep mail' }] });
    const run = begin();
    await run.call('mail.read');
    expect(codeOf(await run.call('web.post', { text: SECRET }))).toBe('ok');
    await run.call('web.post', { text: SECRET });
    expect(sent).toHaveLength(3);
    expect(run.policies.warnings).toEqual([
      {
        code: 'WARN_DATA_FLOW',
        message:
          'The rule "keep mail" keeps data from web.post: $.text in the arguments holds some of what mail.* answered. It was let through, because the rule only warns.',
      },
    ]);
  });

  test('names of fields and choices of the schema of the tool are not data', async () => {
    const schema = { type: 'object', properties: { subjectLine: { type: 'string' }, order: { enum: ['descending'] } } };
    const { begin } = desk(RULE, { ...SERVERS, web: [tool('post', { inputSchema: schema })] }, () => [
      'subjectLine',
      'descending',
      'somewhere',
    ]);
    const run = begin();
    await run.call('mail.read');
    expect(codeOf(await run.call('web.post', { subjectLine: 'x', order: 'descending' }))).toBe('ok');
    expect(codeOf(await run.call('web.post', { subjectLine: 'somewhere' }))).toBe('ERR_CALL_DATA_FLOW');
  });

  test('servers whose names hold dots are told apart', async () => {
    const servers = { 'my.mail': [tool('read')], my: [tool('mail.read')], web: [tool('post')] };
    const { begin } = desk({ dataFlow: [{ from: ['my.mail.*'], to: ['web.post'] }] }, servers, () => SECRET);
    const run = begin();
    await run.call('my.mail.read'); // split at the first dot: the server "my"
    expect(codeOf(await run.call('web.post', { text: SECRET }))).toBe('ERR_CALL_DATA_FLOW');
  });
});

test('no answer of a source gets through unchanged, wherever it is and whatever it is in', async () => {
  const value = fc.string({ unit: 'grapheme', minLength: 12, maxLength: 80 }).filter((text) => text.trim().length >= 10);
  await fc.assert(
    fc.asyncProperty(
      value,
      fc.jsonValue({ maxDepth: 3 }),
      fc.string({ maxLength: 12 }),
      fc.boolean(),
      async (text, around, before, asKey) => {
        const { begin, sent } = office(RULE, [{ list: [around, { it: text }] }]);
        const run = begin();
        await run.call('mail.read');
        const carrier = `${before}${text}!`;
        await run.call('web.post', { around: 1, deep: [[asKey ? { [carrier]: 1 } : { key: carrier }]] });
        expect(sent.some(({ server }) => server === 'web')).toBe(false);
      },
    ),
    { numRuns: 200 },
  );
});

describe('from one run of a session to the next', () => {
  const STATE = JSON.stringify({ lastMail: SECRET, note: 'an unrelated remark' });

  async function firstRun(flow: ReturnType<typeof desk>): Promise<void> {
    const run = flow.begin();
    await run.call('mail.read');
    run.policies.keepSession({ keptHandle: 'ses_1' }, { end: { status: 'completed', result: '', state: STATE } } as never);
    run.policies.end();
  }

  test('what a program kept in the state is still held back, and the rest of the state is not', async () => {
    const flow = office();
    await firstRun(flow);
    const run = flow.begin();
    run.policies.openSession({ handle: 'ses_1', state: STATE });
    expect(codeOf(await run.call('web.post', { text: `x${SECRET}` }))).toBe('ERR_CALL_DATA_FLOW');
    expect(codeOf(await run.call('web.post', { text: 'an unrelated remark' }))).toBe('ok');
  });

  test('a state that nobody saw being written counts as coming from every source', async () => {
    const run = office().begin();
    run.policies.openSession({ handle: 'ses_1', state: STATE });
    expect(codeOf(await run.call('web.post', { text: 'an unrelated remark' }))).toBe('ERR_CALL_DATA_FLOW');
    expect(codeOf(await run.call('web.post', { text: 'something else entirely', lastMail: 1 }))).toBe('ok');
  });

  test('what a second run writes of the first is remembered for the third', async () => {
    const flow = office();
    await firstRun(flow);
    const second = flow.begin();
    second.policies.openSession({ handle: 'ses_1', state: STATE });
    const moved = JSON.stringify({ elsewhere: [`copy: ${SECRET}`] });
    second.policies.keepSession({ keptHandle: 'ses_1' }, { end: { status: 'completed', result: '', state: moved } } as never);
    const third = flow.begin();
    third.policies.openSession({ handle: 'ses_1', state: moved });
    expect(codeOf(await third.call('web.post', { text: SECRET }))).toBe('ERR_CALL_DATA_FLOW');
  });

  test('a dry run leaves nothing behind', async () => {
    const flow = office();
    const run = flow.begin({ dryRun: true });
    run.policies.keepSession({ keptHandle: 'ses_1' }, { end: { status: 'completed', result: '', state: STATE } } as never);
    const next = flow.begin();
    next.policies.openSession({ handle: 'ses_1', state: STATE });
    expect(codeOf(await next.call('web.post', { text: 'an unrelated remark' }))).toBe('ERR_CALL_DATA_FLOW');
  });
});

test('a thousand calls with an answer of hundreds of values each stay within bounds, and past them nothing is sent', async () => {
  let call = 0;
  const flow = desk(RULE, SERVERS, ({ server }) => {
    if (server !== 'mail') return null;
    call++;
    return Array.from({ length: 400 }, (_, n) => `row ${call} - ${n}`);
  });
  const run = flow.begin();
  const codes = new Set<string>();
  for (let n = 0; n < 1_000; n++) {
    await run.call('mail.read');
    if (n % 100 === 99) codes.add(codeOf(await run.call('web.post', { text: 'of no interest' })));
  }
  expect([...codes]).toEqual(['ok', 'ERR_CALL_DATA_FLOW']);
  expect(wordsOf(await run.call('web.post', { text: 'x' }))).toContain('more from mail.* than can be followed');
});

test('an answer of eight megabytes is followed to its end, and holds nobody up', async () => {
  const words = Array.from({ length: 4_000 }, (_, n) => (n * 7_919).toString(36));
  const body = Array.from({ length: 2_000_000 }, (_, n) => words[(n * n + 3 * n) % 4_000])
    .join(' ')
    .slice(0, 8_000_000);
  const run = office({ ...RULE, personalData: { servers: ['mail'] } }, { body }).begin();
  const waits: number[] = [];
  let last = performance.now();
  const timer = setInterval(() => {
    waits.push(performance.now() - last);
    last = performance.now();
  }, 1);
  await run.call('mail.read');
  clearInterval(timer);
  expect(waits.length).toBeGreaterThan(20);
  // To parse it takes some of that by itself.
  expect(Math.max(...waits)).toBeLessThan(1_000);
  expect(codeOf(await run.call('web.post', { text: `x${body.slice(7_999_950)}` }))).toBe('ERR_CALL_DATA_FLOW');
});

test('a run that ends while an answer is followed gives its memory back', async () => {
  const run = office(RULE, { body: 'word '.repeat(400_000) }).begin();
  const answer = run.call('mail.read');
  await new Promise((resolve) => setTimeout(resolve, 10));
  run.policies.end();
  expect(codeOf(await answer)).toBe('ok');
});
