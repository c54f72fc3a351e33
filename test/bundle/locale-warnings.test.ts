import { expect, test } from 'vitest';
import { localeWarnings } from '../../src/bundle/locale-warnings.ts';

const told = (code: string, locales = ['en']): string[] =>
  localeWarnings(code, locales).map(
    ({ code: name, message, location }) => `${name} ${location?.line}:${location?.column} ${/"([^"]+)"/u.exec(message)?.[1]}`,
  );

test.each([
  ['const a = 1;\nreturn new Date().toLocaleDateString("en-CA");', ['WARN_LOCALE 2:39 en-CA']],
  ["return [(1).toLocaleString('de-DE'), new Intl.NumberFormat('de').format(1)];", ['WARN_LOCALE 1:29 de-DE']],
  ['return new Intl.DateTimeFormat(["fr", "en"]).format(0);', ['WARN_LOCALE 1:34 fr']],
  ['return list.sort((a, b) => a.localeCompare(b, "sv"));', ['WARN_LOCALE 1:48 sv']],
  ['return `${d.toLocaleTimeString(`en-GB`)} ${"i".toLocaleUpperCase("tr")}`;', ['WARN_LOCALE 1:33 en-GB']],
])('a locale that there is not is told with its place: %s', (code, expected) => {
  expect(told(code)).toEqual(expected);
});

test.each([
  'return new Date().toLocaleDateString("en-US") + (1).toLocaleString("en");',
  'return new Date().toLocaleDateString(undefined, { timeZone: "Europe/Berlin" });',
  'return "a".localeCompare("de");',
  'return new Intl.DisplayNames("en", { type: "region" }).of("DE");',
  'return new Intl.NumberFormat(input.locale).format(1);',
  'return new Intl.NumberFormat("not_a_tag").format(1);',
])('nothing is told of %s', (code) => {
  expect(told(code)).toEqual([]);
});

test('the locales of the operator are here', () => {
  expect(told('return (1).toLocaleString("de-DE") + (1).toLocaleString("en-GB");', ['de', 'en-GB'])).toEqual([]);
  expect(told('return (1).toLocaleString("en-US");', ['de'])).toEqual(['WARN_LOCALE 1:28 en-US']);
});

test('at most five are told, and dates in the order of ISO have a way around', () => {
  const code = ['de', 'fr', 'it', 'es', 'pt', 'nl'].map((locale) => `(1).toLocaleString("${locale}");`).join('\n');
  expect(told(code)).toHaveLength(5);
  expect(localeWarnings('return d.toLocaleDateString("sv-SE");', ['en'])[0]?.message).toContain('toISOString().slice(0, 10)');
});
