import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createPersonalData } from '../../src/policy/personal-data.ts';
import { createFinder } from '../../src/policy/personal-patterns.ts';
import { TokenVault } from '../../src/policy/token-vault.ts';
import { codeOf, desk, policies, tool, wordsOf } from './policies.ts';

const EMAIL = /^‹email_[0-9a-f]{10}›$/;
const RULES = { personalData: { servers: ['crm'], patterns: { staff: 'EMP-\\d{4,6}' } } };
const SERVERS = { crm: [tool('find')], mail: [tool('send')], other: [tool('read')] };
const PERSON = {
  name: 'Jo',
  email: 'jo.doe@example.org',
  phone: 491_701_234_567,
  card: '4111 1111 1111 1111',
  staff: 'EMP-12345',
  text: 'call +49 170 7654321',
};

function found(text: string, key?: string): string[] {
  return createFinder(policies(RULES).personalData)(text, key).map(({ kind, from, to }) => `${kind} ${text.slice(from, to)}`);
}

describe('personal data is found', () => {
  test.each<[string, string[]]>([
    ['Write to jo.doe+x@mail.example.org, or a@b.co.', ['email jo.doe+x@mail.example.org', 'email a@b.co']],
    ['<jürgen@exämple.de>', ['email jürgen@exämple.de']],
    [
      '+49 (0)170 12345-67 and 0170/1234567, (555) 234-5678, 0049 30 123456',
      ['phone +49 (0)170 12345-67', 'phone 0170/1234567', 'phone 555) 234-5678'.replace('555', '(555'), 'phone 0049 30 123456'],
    ],
    [
      'card 4111-1111-1111-1111, 5500005555555559, 378282246310005',
      ['card 4111-1111-1111-1111', 'card 5500005555555559', 'card 378282246310005'],
    ],
    ['EMP-12345', ['staff EMP-12345']],
    ['😀 äöü EMP-1234, EMP-12', ['staff EMP-1234']],
    ['key sk-proj-abcdefghijklmnopqrstuv and AKIAIOSFODNN7EXAMPLE', ['key sk-proj-abcdefghijklmnopqrstuv', 'key AKIAIOSFODNN7EXAMPLE']],
    [`ghp_${'a1'.repeat(18)}`, [`key ghp_${'a1'.repeat(18)}`]],
    ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdefgh123', ['key eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdefgh123']],
  ])('%s', (text, expected) => {
    expect(found(text)).toEqual(expected);
  });

  test.each([
    '1732170000000',
    '2026-11-21T06:37:33Z',
    '4111111111111112',
    'v1.2.3',
    'a @ b',
    'user@localhost',
    '12345678',
    '3.14159265358979',
    '10.0.0.1',
    '1111 1111 1111 1111',
  ])('and not in %s', (text) => {
    expect(found(text)).toEqual([]);
  });

  test('by the name of its field', () => {
    expect(found('12 34 56 78', 'phoneNumber')).toEqual(['phone 12 34 56 78']);
    expect(found('12 34 56 78', 'rows')).toEqual([]);
  });
});

describe('the model', () => {
  test('sees tokens for values of every kind, in texts, numbers and keys', async () => {
    const { begin } = desk(RULES, SERVERS, () => PERSON);
    const run = begin();
    await run.call('crm.find');
    const hidden = run.policies.hide?.value({ ...PERSON, [PERSON.email]: 1, list: [PERSON.phone], other: 5 }) as Record<string, unknown>;
    expect(hidden['name']).toBe('Jo');
    expect(hidden['other']).toBe(5);
    expect(hidden['email']).toMatch(EMAIL);
    expect(hidden['phone']).toMatch(/^‹phone_[0-9a-f]{10}›$/);
    expect(hidden['list']).toEqual([hidden['phone']]);
    expect(hidden['staff']).toMatch(/^‹staff_/);
    expect(Object.keys(hidden)).toContain(hidden['email']);
    const text = JSON.stringify(hidden);
    for (const value of ['jo.doe', '4111', '491701234567', '12345', '7654321']) expect(text).not.toContain(value);
  });

  test('sees them in any text, also where the program put something around them or changed their letters', async () => {
    const { begin } = desk(RULES, SERVERS, () => PERSON);
    const run = begin();
    await run.call('crm.find');
    const hide = run.policies.hideText ?? String;
    expect(hide(`x${PERSON.email}y${PERSON.email}z 491701234567`)).not.toMatch(/jo\.doe|491701/);
    expect(hide('JO.DOE@EXAMPLE.ORG')).toMatch(EMAIL);
    expect(hide('nothing here')).toBe('nothing here');
  });

  test('sees them in the numbers of a result', async () => {
    const { begin } = desk(RULES, SERVERS, () => PERSON);
    const run = begin();
    await run.call('crm.find');
    const result = '{"a":[491701234567,12,"491701234567 \\" 491701234567"],"mobile": 1701234567}';
    const outcome = { end: { status: 'completed', result, state: '' }, large: { result: Buffer.from(result) } } as never;
    const shown = run.policies.hideNumbers(outcome);
    const text = shown.end.status === 'completed' ? shown.end.result : '';
    expect(JSON.parse(text)).toEqual({
      a: [expect.stringMatching(/^‹phone_/), 12, '491701234567 " 491701234567'],
      mobile: expect.stringMatching(/^‹phone_/) as string,
    });
    expect(Buffer.from(shown.large?.result ?? []).toString()).toBe(text);
  });

  test('sees them in a later run, and in one that never asked the server', async () => {
    const { begin } = desk(RULES, SERVERS, () => PERSON);
    await begin().call('crm.find');
    expect(begin().policies.hideText?.(`from the state: ${PERSON.email}`)).toMatch(/‹email_/);
  });

  test('sees everything as it is where nothing personal has ever come', () => {
    const { policies: run } = desk(RULES, SERVERS).begin();
    expect(run.hide).toBeUndefined();
    expect(run.hideText?.('a@example.org')).toBe('a@example.org');
    expect(desk({}, SERVERS).begin().policies.hideText).toBeUndefined();
  });
});

describe('a token', () => {
  test('becomes the value again in arguments: whole, in a text, as a key, and as the number that it was', async () => {
    const { begin, sent } = desk(RULES, SERVERS, () => PERSON);
    const first = begin();
    await first.call('crm.find');
    const hidden = first.policies.hide?.value(PERSON) as typeof PERSON;
    const args = {
      to: hidden.email,
      text: `Dear ${hidden.email} (${String(hidden.phone)})`,
      n: hidden.phone,
      [hidden.staff]: [{ deep: hidden.card }],
    };
    expect(codeOf(await begin().call('mail.send', args))).toBe('ok');
    expect(sent.at(-1)?.arguments).toEqual({
      to: PERSON.email,
      text: `Dear ${PERSON.email} (${PERSON.phone})`,
      n: PERSON.phone,
      [PERSON.staff]: [{ deep: PERSON.card }],
    });
  });

  test('is the same for the same value, and says nothing to another principal', async () => {
    const { begin, sent } = desk(RULES, SERVERS, () => PERSON);
    const [one, two] = [begin({ principal: 'one' }), begin({ principal: 'two' })];
    await one.call('crm.find');
    const token = one.policies.hideText?.(PERSON.email) ?? '';
    const again = begin({ principal: 'one' });
    await again.call('crm.find');
    expect(again.policies.hideText?.(PERSON.email)).toBe(token);
    const answer = await two.call('mail.send', { to: token });
    expect(codeOf(answer)).toBe('ERR_CALL_ARGUMENTS');
    expect(wordsOf(answer)).toContain('stands for nothing');
    await two.call('crm.find');
    expect(two.policies.hideText?.(PERSON.email)).not.toBe(token);
    expect(sent.some(({ server }) => server === 'mail')).toBe(false);
  });

  test('that nobody minted is refused, and nothing is sent', async () => {
    const { begin, sent } = desk(RULES, SERVERS);
    expect(codeOf(await begin().call('mail.send', { a: [{ b: 'to ‹email_0123456789›!' }] }))).toBe('ERR_CALL_ARGUMENTS');
    expect(sent).toEqual([]);
    expect(codeOf(await begin().call('mail.send', { a: '‹email_xyz› ‹›' }))).toBe('ok');
  });

  test('comes before data-flow rules: those see the real value', async () => {
    const rules = { ...RULES, dataFlow: [{ from: ['crm.*'], to: ['mail.*'] }] };
    const { begin } = desk(rules, SERVERS, () => PERSON);
    const run = begin();
    await run.call('crm.find');
    expect(codeOf(await run.call('mail.send', { to: run.policies.hideText?.(PERSON.email) }))).toBe('ERR_CALL_DATA_FLOW');
  });

  test('ends some time after its last use', () => {
    let time = 1_000;
    const vault = new TokenVault(100, () => time);
    const token = vault.tokenOf('email', 'a@example.org');
    time += 99;
    expect(vault.valueOf(token)).toBe('a@example.org');
    time += 100;
    expect(vault.valueOf(token)).toBe('a@example.org');
    time += 101;
    expect(vault.valueOf(token)).toBeUndefined();
    expect(vault.isEmpty).toBe(true);
  });

  test('goes when there are too many, the one that was used longest ago first', () => {
    const vault = new TokenVault(1e9, () => 0);
    const tokens = Array.from({ length: 50_000 }, (_, n) => vault.tokenOf('email', `a${n}@example.org`));
    expect(new Set(tokens).size).toBe(50_000);
    expect(vault.valueOf(tokens[0] ?? '')).toBe('a0@example.org');
    vault.tokenOf('email', 'one@more.org');
    expect(vault.valueOf(tokens[0] ?? '')).toBe('a0@example.org');
    expect(vault.valueOf(tokens[1] ?? '')).toBeUndefined();
  });
});

test('what is hidden and put back again is what it was', () => {
  const word = fc.oneof(
    fc.emailAddress(),
    fc.constantFrom('+49 170 1234567', '4111111111111111', 'EMP-99999'),
    fc.string({ maxLength: 8 }),
  );
  const value = fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 4 }, word, fc.array(tie('value'), { maxLength: 4 }), fc.dictionary(word, tie('value'), { maxKeys: 3 })),
  })).value;
  fc.assert(
    fc.property(value, (original) => {
      const run = createPersonalData(policies(RULES).personalData, 1e6)?.begin('local');
      Array.from(run?.note(original) ?? []);
      const hidden = run?.hide?.value(original);
      expect(run?.putBack(hidden)).toEqual({ ok: true, value: original, marked: [] });
    }),
    { numRuns: 300 },
  );
});

test('no value that an answer held is in what the model sees, whatever the program puts around it', () => {
  const around = fc.string({ unit: 'grapheme', maxLength: 20 });
  const secret = fc.oneof(fc.emailAddress(), fc.constantFrom('EMP-12345', '4111 1111 1111 1111', `ghp_${'aB3'.repeat(12)}`));
  fc.assert(
    fc.property(fc.array(secret, { minLength: 1, maxLength: 4 }), around, around, (secrets, before, after) => {
      const run = createPersonalData(policies(RULES).personalData, 1e6)?.begin('local');
      Array.from(run?.note({ list: [before, { secrets }] }) ?? []);
      const said = { text: before + secrets.join(after) + after, [secrets.join('')]: 1, list: secrets };
      const seen = JSON.stringify([run?.hide?.value(said), run?.hide?.text(said.text)]);
      for (const one of secrets) expect(seen).not.toContain(one);
    }),
    { numRuns: 300 },
  );
});

test('an answer of eight megabytes is looked through in bounded time', () => {
  const run = createPersonalData(policies(RULES).personalData, 1e6)?.begin('local');
  const rows = Array.from({ length: 60_000 }, (_, n) => ({
    id: n,
    body: `row ${n} of a long table, with 0123 and +12 and x@y in it, ${'words '.repeat(10)}`,
  }));
  const began = performance.now();
  for (const _ of run?.note([
    rows,
    '0'.repeat(1_000_000),
    '+1'.repeat(200_000),
    '@'.repeat(200_000),
    'a@'.repeat(100_000),
    '1 '.repeat(300_000),
  ]) ?? []);
  expect(performance.now() - began).toBeLessThan(20_000);
});

test('what an earlier run left in a session is hidden, though nothing is known of it any more', () => {
  const left = desk(RULES, SERVERS).begin().policies;
  left.openSession({ handle: 'ses_1', state: '{"to":"jo.doe@example.org"}' });
  expect(left.hideText?.('jo.doe@example.org')).toMatch(EMAIL);
  const empty = desk(RULES, SERVERS).begin().policies;
  empty.openSession({ handle: 'ses_1', state: '{}' });
  expect(empty.hideText?.('jo.doe@example.org')).toBe('jo.doe@example.org');
});

test('texts in which a key could begin everywhere are looked through at once', () => {
  const began = performance.now();
  for (const text of [`; ${'eyJ-'.repeat(100_000)}`, '-----BEGIN PRIVATE KEY-----'.repeat(20_000)]) expect(found(text)).toEqual([]);
  expect(performance.now() - began).toBeLessThan(1_000);
  const header = 'Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0A1B\n\n';
  const key = `-----BEGIN RSA PRIVATE KEY-----\n${header}${'MIIEpAIB+/'.repeat(20)}==\n-----END RSA PRIVATE KEY-----`;
  expect(found(`x ${key} y`)).toEqual([`key ${key}`]);
  const token = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdefgh123';
  expect(found(`token-${token}`)).toEqual([`key ${token}`]);
});
