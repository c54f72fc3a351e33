import { expect, test } from 'vitest';
import { codeOf, desk, tool, wordsOf } from './policies.ts';

const RULES = { personalData: { servers: ['crm'] } };
const SERVERS = { crm: [tool('find')], mail: [tool('send')], other: [tool('read')] };
const PERSON = { name: 'Jo', email: 'jo.doe@example.org', phone: 491_701_234_567 };

test('a token from another run is a matter of the data-flow rules that its value is', async () => {
  const rules = { ...RULES, dataFlow: [{ from: ['crm.*'], to: ['mail.*'] }] };
  const { begin, sent } = desk(rules, SERVERS, () => PERSON);
  const first = begin();
  await first.call('crm.find');
  const [email, phone] = [PERSON.email, PERSON.phone].map((value) => first.policies.hide?.value(value));
  first.policies.end();
  for (const given of [email, `to ${String(email)}`, phone]) {
    const answer = await begin().call('mail.send', { given });
    expect(codeOf(answer)).toBe('ERR_CALL_DATA_FLOW');
    expect(wordsOf(answer)).not.toContain('jo.doe');
  }
  expect(codeOf(await begin().call('other.read', { email }))).toBe('ok');
  expect(sent.at(-1)?.arguments).toEqual({ email: PERSON.email });
});

test('arguments that a schema refuses are told with tokens, also where they are shortened', async () => {
  const strict = { ...SERVERS, mail: [tool('send', { inputSchema: { type: 'object', properties: { to: { type: 'number' } } } })] };
  const run = desk(RULES, strict, () => PERSON).begin();
  await run.call('crm.find');
  const answer = await run.call('mail.send', { to: `${'x'.repeat(48)} ${PERSON.email}` });
  expect(codeOf(answer)).toBe('ERR_CALL_ARGUMENTS');
  expect(wordsOf(answer)).toContain('arguments.to must be number');
  expect(wordsOf(answer)).not.toContain('jo.doe');
});

test('a key that is data is hidden like a value, and put back', async () => {
  const secret = `ghp_${'a1'.repeat(18)}`;
  const { begin, sent } = desk(RULES, SERVERS, () => ({ [secret]: { name: 'Jo' } }));
  const run = begin({ dryRun: false });
  await run.call('crm.find');
  const shown = run.policies.hide?.value({ [secret]: 1, name: 2, address_2: 3 });
  expect(JSON.stringify(shown)).toMatch(/^\{"‹key_[0-9a-f]{10}›":1,"name":2,"address_2":3\}$/);
  await run.call('mail.send', shown);
  expect(sent.at(-1)?.arguments).toEqual({ [secret]: 1, name: 2, address_2: 3 });
});
