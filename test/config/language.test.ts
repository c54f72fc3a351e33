import { expect, test } from 'vitest';
import { parseConfig } from '../../src/config/load-config.ts';
import { SandboxError } from '../../src/errors.ts';

const parse = (language: unknown) => parseConfig(JSON.stringify({ language }), { file: '/config/ampoule.json', environment: {} });

function refusal(language: unknown): SandboxError {
  try {
    parse(language);
  } catch (error) {
    if (error instanceof SandboxError) return error;
  }
  throw new Error('the config was taken');
}

test('the default is English and all time zones', () => {
  expect(parse({}).language).toEqual({ locales: ['en'], timeZones: 'all' });
});

test('locales and time zones that exist are taken, under all of their names', () => {
  const language = { locales: ['de-CH', 'en-US', 'zh-Hant', 'pt-BR'], timeZones: ['Europe/Zurich', 'Asia/Kolkata', 'US/Pacific', 'UTC'] };
  expect(parse(language).language).toEqual(language);
});

test.each([
  [{ locales: ['en', 'de-CHH'] }, 'language.locales[1]', '"de-CHH"', 'did you mean "de-CH"?'],
  [{ locales: ['en-us'] }, 'language.locales[0]', '"en-us"', 'did you mean "en-US"?'],
  [{ timeZones: ['Europe/Berlinn'] }, 'language.timeZones[0]', '"Europe/Berlinn"', 'did you mean "Europe/Berlin"?'],
  [{ timeZones: ['UTC', 'Mars'] }, 'language.timeZones[1]', '"Mars"', 'a time zone that there is data of'],
])('what does not exist is refused by name, with the nearest: %j', (language, path, name, hint) => {
  const { code, message } = refusal(language);
  expect(code).toBe('ERR_CONFIG_INVALID');
  expect(message).toContain(path);
  expect(message).toContain(name);
  expect(message).toContain(hint);
});

test('a list without a locale is refused', () => {
  expect(refusal({ locales: [] }).code).toBe('ERR_CONFIG_INVALID');
});
