import { beforeAll, expect, test } from 'vitest';
import { type Engine, openEngine, runProgram } from '../harness.ts';
import { type Call, differences } from './intl-against-node.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine();
});

const NUMBERS = [
  0,
  1,
  -1,
  7,
  12.5,
  0.5,
  1.5,
  2.5,
  1.005,
  999.9996,
  1234.5678,
  -98765.4321,
  1e6,
  123456789.987,
  1e15,
  1e21,
  4e-7,
  0.00049,
  0.0005,
  2 ** 53,
];
const FORMAT = 'return values.map((n) => new Intl.NumberFormat(locale, options).format(n))';
const OPTIONS: readonly object[] = [
  {},
  { maximumFractionDigits: 0 },
  { minimumFractionDigits: 2 },
  { minimumFractionDigits: 2, maximumFractionDigits: 4 },
  { maximumSignificantDigits: 3 },
  { minimumIntegerDigits: 3 },
  { useGrouping: false },
  { useGrouping: 'min2' },
  { style: 'percent' },
  { style: 'percent', maximumFractionDigits: 1 },
  { style: 'currency', currency: 'USD' },
  { style: 'currency', currency: 'EUR', currencyDisplay: 'code' },
  { style: 'currency', currency: 'JPY' },
  { style: 'currency', currency: 'INR', currencyDisplay: 'narrowSymbol' },
  { style: 'currency', currency: 'GBP', currencyDisplay: 'name' },
  { style: 'currency', currency: 'USD', currencySign: 'accounting' },
  { style: 'currency', currency: 'USD', notation: 'compact' },
  { style: 'unit', unit: 'kilometer' },
  { style: 'unit', unit: 'kilometer-per-hour', unitDisplay: 'long' },
  { style: 'unit', unit: 'megabyte', unitDisplay: 'narrow' },
  { style: 'unit', unit: 'celsius' },
  { notation: 'compact' },
  { notation: 'compact', compactDisplay: 'long' },
  { notation: 'scientific' },
  { notation: 'engineering' },
  { signDisplay: 'always' },
  { signDisplay: 'exceptZero' },
  { roundingMode: 'floor', maximumFractionDigits: 1 },
  { roundingMode: 'halfEven', maximumFractionDigits: 0 },
  { roundingIncrement: 5, maximumFractionDigits: 2, minimumFractionDigits: 2 },
  { trailingZeroDisplay: 'stripIfInteger', minimumFractionDigits: 2 },
  { numberingSystem: 'arab' },
];

test('numbers in English are those of Node', () => {
  const small = NUMBERS.filter((number) => Math.abs(number) < 1e15);
  expect(
    differences(
      engine,
      FORMAT,
      OPTIONS.map((options): Call => ({ locale: 'en-US', options, values: 'notation' in options ? small : NUMBERS })),
    ),
  ).toEqual([]);
});

test('their parts and resolved options are those of Node', () => {
  const body = 'const f = new Intl.NumberFormat(locale, options); return [values.map((n) => f.formatToParts(n)), f.resolvedOptions()]';
  expect(
    differences(
      engine,
      body,
      // ICU tells the mark of direction before an Arabic sign apart from it.
      OPTIONS.filter((options) => !('numberingSystem' in options)).map((options): Call => ({
        locale: 'en',
        options,
        values: [0, 1234.5, -0.25],
      })),
    ),
  ).toEqual([]);
});

test('toLocaleString of a number is that of Node', () => {
  const values = [...NUMBERS, 0.1 + 0.2, 1 / 3, 123456.7895, 0.9995, 9999.9999, 1e20, 1.7976931348623157e308, 5e-324];
  const body = 'return values.map((n) => [n.toLocaleString(locale), n.toLocaleString(locale, options), (-n).toLocaleString()])';
  expect(
    differences(engine, body, [
      { locale: 'en', options: {}, values },
      { locale: 'en-US', options: { style: 'currency', currency: 'USD' }, values },
    ]),
  ).toEqual([]);
});

test('numbers that are none, zeros with a sign and large integers are those of Node', () => {
  const body = `return [NaN, Infinity, -Infinity, -0, 12345678901234567890n, -5n, 0n].map((n) => [n.toLocaleString(), new Intl.NumberFormat('en').format(n), new Intl.NumberFormat('en', { signDisplay: 'negative' }).format(n)])`;
  expect(differences(engine, body, [{ locale: 'en', options: {}, values: [] }])).toEqual([]);
});

test('texts keep all their digits', () => {
  const body = 'return values.map((n) => new Intl.NumberFormat(locale, options).format(n))';
  expect(
    differences(engine, body, [
      { locale: 'en', options: { maximumFractionDigits: 20 }, values: ['987654321987654321.123456789', '1e3', '0x10', ''] },
    ]),
  ).toEqual([]);
});

test('bad options are refused as in Node', () => {
  const bad = [
    { style: 'money' },
    { style: 'currency' },
    { style: 'currency', currency: 'EURO' },
    { style: 'unit', unit: 'parsec' },
    { maximumFractionDigits: 101 },
    { minimumFractionDigits: 3, maximumFractionDigits: 2 },
    { maximumSignificantDigits: 0 },
    { notation: 'short' },
    { roundingIncrement: 7 },
  ];
  expect(
    differences(
      engine,
      FORMAT,
      bad.map((options): Call => ({ locale: 'en', options, values: [1] })),
    ),
  ).toEqual([]);
});

test('ranges of numbers are those of Node', () => {
  const body = 'return new Intl.NumberFormat(locale, options).formatRange(values[0], values[1])';
  const options = [{}, { style: 'currency', currency: 'USD', maximumFractionDigits: 0 }];
  const pairs = [
    [1, 5],
    [1000, 2000],
    [3, 3],
  ];
  expect(
    differences(
      engine,
      body,
      options.flatMap((one) => pairs.map((values): Call => ({ locale: 'en', options: one, values }))),
    ),
  ).toEqual([]);
});

test('a formatter that is remembered does not take the options of another', () => {
  const code = `const n = 1234.5; const own = { style: 'percent' };
    const a = n.toLocaleString('en', own); own.style = 'decimal'; const b = n.toLocaleString('en', own);
    return [a, b, n.toLocaleString('en', { minimumFractionDigits: 2 }), n.toLocaleString('en', { minimumFractionDigits: '2' }), n.toLocaleString(['en', 'de']), n.toLocaleString('en', Object.create({ style: 'percent' }))]`;
  expect(runProgram(engine, code).result).toEqual(['123,450%', '1,234.5', '1,234.50', '1,234.50', '1,234.5', '123,450%']);
});
