import { beforeAll, expect, inject, test } from 'vitest';
import { openEngine as openBuiltEngine } from '../../../src/open-sandbox.ts';
import { type Engine, openEngine, runProgram } from '../harness.ts';
import { type Call, differences, seeded } from './intl-against-node.ts';

/** The locales of an engine of our own; the suite's knows English only. */
const LOCALES = ['en', 'de', 'fr', 'ja', 'en-GB', 'es', 'pt-BR', 'it', 'nl', 'sv', 'pl', 'ru', 'zh-Hans', 'ko'];
const FORMAT = 'return new Intl.DateTimeFormat(locale, options).format(values[0])';
const DAY = 86_400_000;

let engine: Engine;
let manyLocales: Engine;
beforeAll(async () => {
  engine = await openEngine();
  const language = { locales: LOCALES, timeZones: ['Europe/Berlin', 'America/New_York', 'Asia/Tokyo'] };
  manyLocales = await openEngine(await openBuiltEngine({ engine: inject('engineKind'), language }, inject('cacheDirectory')));
});

const pick = seeded(20_261_121);
const times = Array.from({ length: 40 }, (_, i) => Date.UTC(1970, 0, 1) + Math.floor(i * 1.7 * 365.2425 * DAY) + ((i * 7_919_773) % DAY));

/** Fields that programs ask for together. */
const FIELDS: readonly object[] = [
  {},
  { year: 'numeric' },
  { year: 'numeric', month: 'long' },
  { year: 'numeric', month: 'short', day: 'numeric' },
  { year: 'numeric', month: 'long', day: 'numeric', weekday: 'long' },
  { year: 'numeric', month: '2-digit', day: '2-digit' },
  { year: '2-digit', month: 'numeric', day: 'numeric' },
  { month: 'short', day: 'numeric' },
  { month: 'long' },
  { month: 'narrow' },
  { weekday: 'short' },
  { weekday: 'long', hour: 'numeric' },
  { weekday: 'narrow', day: 'numeric' },
  { hour: 'numeric' },
  { hour: '2-digit', minute: '2-digit' },
  { hour: 'numeric', minute: 'numeric', second: 'numeric' },
  { hour: '2-digit', minute: '2-digit', hour12: false },
  { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' },
  { hour: 'numeric', minute: '2-digit', hour12: true },
  { hour: 'numeric', hourCycle: 'h11' },
  { hour: 'numeric', hourCycle: 'h24' },
  { minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3 },
  { hour: 'numeric', minute: 'numeric', second: 'numeric', fractionalSecondDigits: 2 },
  { year: 'numeric', month: 'short', day: 'numeric', hour: 'numeric', minute: '2-digit' },
  { year: 'numeric', month: 'long', day: 'numeric', hour: 'numeric', minute: '2-digit', timeZoneName: 'short' },
  { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false },
  { weekday: 'short', year: 'numeric', month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', timeZoneName: 'longOffset' },
  { era: 'short' },
  { era: 'long', year: 'numeric', month: 'long' },
  { hour: 'numeric', dayPeriod: 'short', hour12: true },
  { timeZoneName: 'long' },
  { timeZoneName: 'shortOffset', hour: 'numeric' },
  { month: '2-digit' },
  { day: '2-digit' },
  { day: 'numeric', weekday: 'short', month: 'long' },
];
const STYLES = ['full', 'long', 'medium', 'short', undefined];
const STYLED = STYLES.flatMap((dateStyle) =>
  STYLES.map((timeStyle) => ({ ...(dateStyle && { dateStyle }), ...(timeStyle && { timeStyle }) })),
);
const ZONES = ['UTC', 'America/New_York', 'Europe/Berlin', 'Asia/Tokyo'];

function callsFor(locales: readonly string[], options: readonly object[], count: number): Call[] {
  return locales.flatMap((locale) =>
    options.flatMap((one) =>
      Array.from({ length: count }, () => ({ locale, options: { ...one, timeZone: pick(ZONES) }, values: [pick(times)] })),
    ),
  );
}

test('dates and times in English are those of Node, for the fields that programs ask for', () => {
  expect(differences(engine, FORMAT, callsFor(['en', 'en-US'], FIELDS, 6))).toEqual([]);
});

test('dateStyle and timeStyle are those of Node', () => {
  expect(differences(engine, FORMAT, callsFor(['en'], STYLED, 6))).toEqual([]);
  expect(
    differences(
      engine,
      FORMAT,
      callsFor(
        ['en'],
        STYLED.filter((style) => 'timeStyle' in style).map((style) => ({ ...style, hour12: false })),
        3,
      ),
    ),
  ).toEqual([]);
});

test('the parts and the resolved options are those of Node', () => {
  const body = 'const f = new Intl.DateTimeFormat(locale, options); return [f.formatToParts(values[0]), f.resolvedOptions()]';
  expect(differences(engine, body, callsFor(['en'], [...FIELDS, ...STYLED], 2))).toEqual([]);
});

test('other locales that the operator names are those of Node', () => {
  expect(
    differences(
      manyLocales,
      FORMAT,
      callsFor(
        LOCALES,
        FIELDS.filter((fields) => !('dayPeriod' in fields)),
        2,
      ),
    ),
  ).toEqual([]);
  expect(differences(manyLocales, FORMAT, callsFor(LOCALES, STYLED, 2))).toEqual([]);
});

test('the first locale that the operator names is the default, and one that is not there falls back to it', () => {
  const { result } = runProgram(
    manyLocales,
    `return [new Intl.DateTimeFormat().resolvedOptions().locale, new Intl.NumberFormat('xx').resolvedOptions().locale, Intl.NumberFormat.supportedLocalesOf(['fi', 'de-AT', 'zh-CN', 'pt']),
      new Intl.DateTimeFormat('de-AT').resolvedOptions().locale, new Intl.DateTimeFormat('zh-CN-u-nu-hanidec').resolvedOptions().locale]`,
  );
  expect(result).toEqual(['en', 'en', ['de-AT', 'zh-CN', 'pt'], 'de', 'zh-CN-u-nu-hanidec']);
});

test('methods of Date have the defaults of the standard', () => {
  const body =
    'const d = new Date(values[0]); return [d.toLocaleString(locale, options), d.toLocaleDateString(locale, options), d.toLocaleTimeString(locale, options)]';
  const options = [
    {},
    { timeZone: 'Asia/Tokyo' },
    { month: 'long', timeZone: 'UTC' },
    { hour: 'numeric', timeZone: 'UTC' },
    { hour12: false, timeZone: 'UTC' },
  ];
  const calls = options.flatMap((one) =>
    times.slice(0, 8).map((time): Call => ({ locale: 'en-US', options: { timeZone: 'UTC', ...one }, values: [time] })),
  );
  expect(differences(engine, body, calls)).toEqual([]);
  expect(
    differences(engine, body, [
      { locale: 'en', options: { dateStyle: 'short', timeZone: 'UTC' }, values: [0] },
      { locale: 'en', options: {}, values: ['no date'] },
    ]),
  ).toEqual([]);
});

test('without a date it is the time of the run', () => {
  const code = `const f = new Intl.DateTimeFormat('en', { dateStyle: 'short', timeStyle: 'medium' }); const a = f.format(); await ampoule.sleep(5000); return [a, f.format(), f.formatToParts().length]`;
  expect(runProgram(engine, code, { now: 0 }).result).toEqual(['1/1/70, 12:00:00 AM', '1/1/70, 12:00:05 AM', 13]);
});

test('far away times are those of Node, to the ends of time', () => {
  const far = [-8.64e15, -62_198_755_200_000, -62_135_596_800_001, -1e14, -4e12, 4.1e12, 1e13, 253_402_300_800_000, 8.64e15];
  const calls = far.flatMap((time) =>
    FIELDS.slice(0, 6).map((fields): Call => ({ locale: 'en', options: { ...fields, era: 'short', timeZone: 'UTC' }, values: [time] })),
  );
  expect(differences(engine, FORMAT, calls)).toEqual([]);
});

test('bad input is refused as in Node', () => {
  const bad: Call[] = [
    { locale: 'en', options: {}, values: ['x'] },
    { locale: 'en', options: {}, values: [8.64e15 + 1] },
    { locale: 'en_US', options: {}, values: [0] },
    { locale: '', options: {}, values: [0] },
    { locale: 'e', options: {}, values: [0] },
    ...[
      { timeZone: 'Mars/Olympus' },
      { timeZone: '' },
      { timeZone: '+25:00' },
      { timeZone: '+05:3' },
      { month: 'big' },
      { hourCycle: 'h13' },
      { fractionalSecondDigits: 4 },
      { dateStyle: 'huge' },
      { dateStyle: 'short', month: 'long' },
      { calendar: '!' },
      { numberingSystem: 'x' },
      { formatMatcher: 'worst' },
    ].map((options): Call => ({ locale: 'en', options, values: [0] })),
  ];
  expect(differences(engine, FORMAT, bad)).toEqual([]);
});

test('ranges of dates are those of Node', () => {
  const start = Date.UTC(2020, 4, 10, 9, 20, 30);
  const hours = [0, 1, 5, 24, 20 * 24, 100 * 24, 500 * 24];
  const fields: readonly object[] = [
    {},
    ...['full', 'long', 'medium', 'short'].map((dateStyle) => ({ dateStyle })),
    { year: 'numeric', month: 'short' },
    { month: 'long', day: 'numeric' },
    { hour: 'numeric', minute: 'numeric' },
    { timeStyle: 'short' },
    { dateStyle: 'medium', timeStyle: 'short' },
    { weekday: 'short', month: 'short', day: 'numeric' },
  ];
  const body = 'return values.map((hours) => new Intl.DateTimeFormat(locale, options).formatRange(values[0], values[0] + hours * 3600000))';
  const calls = (locales: readonly string[]): Call[] =>
    locales.flatMap((locale) => fields.map((one): Call => ({ locale, options: { ...one, timeZone: 'UTC' }, values: [start, ...hours] })));
  const ranges = body.replace('values.map(', 'values.slice(1).map(');
  expect(differences(engine, ranges, calls(['en']))).toEqual([]);
  expect(differences(manyLocales, ranges, calls(['en', 'de', 'fr', 'es', 'ja']))).toEqual([]);
});

test('letters change their case, and lists are written, as in Node', () => {
  const body = `return [values.map((text) => [text.toLocaleUpperCase(locale), text.toLocaleLowerCase(locale)]), [1234.5, null, 'a', new Date(0)].toLocaleString('en', { timeZone: 'UTC' })]`;
  const calls = ['en', 'tr', 'az', 'de'].map((locale): Call => ({ locale, options: {}, values: ['iıIİ', 'straße', 'I\u0307', 'éÉ'] }));
  expect(differences(engine, body, calls)).toEqual([]);
});
