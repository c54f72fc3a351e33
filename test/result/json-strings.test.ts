import { expect, test } from 'vitest';
import { changeStrings } from '../../src/result/json-strings.ts';

const CHUNK = 64 * 1024;
const SECRETS = [
  '+49 170 1234567',
  '4111 1111 1111 1111',
  `-----BEGIN PRIVATE KEY-----\nA: 1\n${'MIIEpAIB+/'.repeat(1_000)}\n-----END PRIVATE KEY-----`,
];
const hide = (text: string): string => SECRETS.reduce((shown, secret) => shown.replaceAll(secret, '<hidden>'), text);

test.each([
  ['a phone number', SECRETS[0]],
  ['a card', SECRETS[1]],
  ['a key', SECRETS[2]],
])('%s is not divided where a long text is', async (_what, secret) => {
  for (let before = CHUNK - 40; before < CHUNK; before += 3) {
    const text = `${'some words '.repeat(CHUNK / 11).slice(0, before - 20)} ${'y'.repeat(19)} ${secret} end of it`;
    const changed = await changeStrings(Buffer.from(JSON.stringify([text])), hide);
    expect(JSON.parse(Buffer.from(changed).toString())).toEqual([hide(text)]);
  }
});

test('a text without words is divided all the same, and nothing of it is lost', async () => {
  for (const text of ['x'.repeat(3 * CHUNK), '1 '.repeat(2 * CHUNK), 'ä\n😀'.repeat(CHUNK)]) {
    const bytes = Buffer.from(JSON.stringify({ text }));
    expect(Buffer.from(await changeStrings(bytes, (part) => part)).equals(bytes)).toBe(true);
    const marked = await changeStrings(bytes, (part) => `${part}|`);
    expect((JSON.parse(Buffer.from(marked).toString()) as Record<string, string>)['text|']?.replaceAll('|', '')).toBe(text);
  }
});
