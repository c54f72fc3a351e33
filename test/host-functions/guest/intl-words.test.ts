import { beforeAll, expect, test } from 'vitest';
import { type Engine, openEngine, runProgram } from '../harness.ts';
import { type Call, differences } from './intl-against-node.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine();
});

test('plural rules are those of Node', () => {
  const values = [0, 1, 2, 3, 4, 11, 12, 13, 21, 22, 23, 101, 1.5, -1, 1e6];
  const body =
    'const rules = new Intl.PluralRules(locale, options); return [values.map((n) => rules.select(n)), rules.resolvedOptions().pluralCategories, rules.selectRange(1, 2)]';
  const options = [{}, { minimumFractionDigits: 1 }];
  expect(
    differences(
      engine,
      body,
      options.map((one): Call => ({ locale: 'en', options: one, values })),
    ),
  ).toEqual([]);
});

test('ordinal plural rules are those of Node', () => {
  const values = [0, 1, 2, 3, 4, 11, 12, 13, 21, 22, 23, 101, 111, 1.5];
  const body = "const rules = new Intl.PluralRules(locale, { type: 'ordinal' }); return values.map((n) => rules.select(n))";
  expect(differences(engine, body, [{ locale: 'en', options: {}, values }])).toEqual([]);
});

test('lists are those of Node', () => {
  const body = 'const f = new Intl.ListFormat(locale, options); return [f.format(values), f.formatToParts(values), f.resolvedOptions()]';
  const options = ['conjunction', 'disjunction', 'unit'].flatMap((type) => ['long', 'short', 'narrow'].map((style) => ({ type, style })));
  const lists = [[], ['a'], ['a', 'b'], ['a', 'b', 'c', 'd']];
  expect(
    differences(
      engine,
      body,
      options.flatMap((one) => lists.map((values): Call => ({ locale: 'en', options: one, values }))),
    ),
  ).toEqual([]);
});

test('relative times are those of Node', () => {
  const body =
    'const f = new Intl.RelativeTimeFormat(locale, options); return [f.format(values[0], values[1]), f.formatToParts(values[0], values[1]), f.resolvedOptions()]';
  const units = 'second minute hours day week month quarters year'.split(' ');
  const options = [{}, { numeric: 'auto' }, { style: 'short' }, { style: 'narrow', numeric: 'auto' }];
  expect(
    differences(
      engine,
      body,
      options.flatMap((one) =>
        units.flatMap((unit) => [-2, -1, 0, 1, 2, 1000.5].map((n): Call => ({ locale: 'en', options: one, values: [n, unit] }))),
      ),
    ),
  ).toEqual([]);
});

test('names of regions, languages, scripts and currencies are those of Node', () => {
  const body = 'return new Intl.DisplayNames(locale, options).of(values[0])';
  const codes: Record<string, string[]> = {
    region: ['DE', 'US', '419', 'GB', 'ZZ'],
    language: ['de', 'en-GB', 'zh-Hant', 'pt-BR', 'fr-CH'],
    script: ['Latn', 'Cyrl', 'Hans'],
    currency: ['EUR', 'USD', 'JPY'],
  };
  const calls = Object.entries(codes).flatMap(([type, values]) =>
    values.map((code): Call => ({ locale: 'en', options: { type }, values: [code] })),
  );
  expect(
    differences(engine, body, [
      ...calls,
      { locale: 'en', options: { type: 'region' }, values: ['Germany'] },
      { locale: 'en', options: {}, values: ['DE'] },
    ]),
  ).toEqual([]);
});

test('locales are parsed, completed and put in order as in Node', () => {
  const body = `const l = new Intl.Locale(values[0], options); return [String(l), l.language, l.script, l.region, l.baseName, l.calendar, l.hourCycle, l.numberingSystem, l.maximize().toString(), l.minimize().toString()]`;
  const tags = ['en', 'EN-us', 'zh-TW', 'de-Latn-DE', 'sr-RS', 'en-u-hc-h23-ca-buddhist', 'iw', 'sr-Latn-u-nu-latn'];
  expect(
    differences(engine, body, [
      ...tags.map((tag): Call => ({ locale: 'en', options: {}, values: [tag] })),
      { locale: 'en', options: { region: 'GB', hourCycle: 'h12' }, values: ['en'] },
      { locale: 'en', options: {}, values: ['x'] },
      { locale: 'en', options: {}, values: ['en_US'] },
    ]),
  ).toEqual([]);
  const canonical = 'return Intl.getCanonicalLocales(values)';
  expect(
    differences(
      engine,
      canonical,
      [['EN-us', 'de-de'], ['iw', 'zh-cmn', 'sr-latn-rs'], ['en-us-u-ca-gregory'], ['a'], []].map((values): Call => ({
        locale: 'en',
        options: {},
        values,
      })),
    ),
  ).toEqual([]);
});

test('a region has its first day of the week', () => {
  const code = `return ['en-US', 'de-DE', 'ar-EG'].map((tag) => new Intl.Locale(tag).getWeekInfo().firstDay)`;
  expect(runProgram(engine, code).result).toEqual([7, 1, 6]);
});
