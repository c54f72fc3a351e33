import { beforeAll, expect, test } from 'vitest';
import { type Engine, openEngine, runProgram } from '../harness.ts';
import { sampled } from '../../escape/sampled.ts';
import { type Call, differences } from './intl-against-node.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine();
});

const HOUR = 3_600_000;
const ALL = Intl.supportedValuesOf('timeZone');
const SAMPLED = sampled(ALL);
const CLOCK = `const f = new Intl.DateTimeFormat(locale, { ...options, year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric', hourCycle: 'h23' });
  return values.map((time) => f.format(time)).join(' | ')`;

test('every zone shows the same clock as in Node, through 140 years', () => {
  const values = Array.from({ length: 24 }, (_, i) => Date.UTC(1898 + i * 6, (i * 7) % 12, (i * 11) % 28, i));
  expect(
    differences(
      engine,
      CLOCK,
      SAMPLED.map((timeZone): Call => ({ locale: 'en', options: { timeZone }, values })),
    ),
  ).toEqual([]);
});

test('clocks change at the same second as in Node', () => {
  const zones =
    'America/New_York Europe/Berlin Europe/London Europe/Dublin Australia/Lord_Howe America/St_Johns Africa/Casablanca Africa/Cairo Asia/Tehran Asia/Gaza America/Sao_Paulo Pacific/Apia America/Nuuk Antarctica/Troll Asia/Beirut America/Havana America/Santiago Europe/Tallinn Europe/Istanbul Asia/Pyongyang America/Caracas';
  const calls = zones
    .split(' ')
    .map((timeZone): Call => ({ locale: 'en', options: { timeZone }, values: edgesOf(timeZone).flatMap((at) => [at - 1000, at]) }));
  expect(calls.map(({ values }) => values.length).every((count) => count > 1)).toBe(true);
  expect(differences(engine, CLOCK, calls)).toEqual([]);
});

/** Some of the times, from 1970 to 2060, at which a zone's clocks change. */
function edgesOf(timeZone: string): number[] {
  const format = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset', year: 'numeric' });
  const offset = (time: number): string => format.format(time).slice(4);
  const edges: number[] = [];
  for (let time = 0; time < Date.UTC(2060); time += 240 * HOUR) {
    if (offset(time) === offset(time + 240 * HOUR)) continue;
    let [low, high] = [time / 1000, (time + 240 * HOUR) / 1000];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (offset(middle * 1000) === offset(time)) low = middle;
      else high = middle;
    }
    edges.push(high * 1000);
  }
  return edges;
}

test('names of zones are those of Node', () => {
  const values = [Date.UTC(2024, 0, 15), Date.UTC(2024, 6, 15), Date.UTC(1985, 3, 1)];
  const body = `const f = new Intl.DateTimeFormat(locale, options); return values.map((time) => f.formatToParts(time).find(({ type }) => type === 'timeZoneName').value)`;
  const calls = ['short', 'long', 'shortOffset', 'longOffset'].flatMap((timeZoneName) =>
    SAMPLED.map((timeZone): Call => ({ locale: 'en', options: { timeZone, timeZoneName }, values })),
  );
  expect(differences(engine, body, calls)).toEqual([]);
});

test('names are found in any case; UTC is the default and the name of all its synonyms', () => {
  const code = `const name = (timeZone) => new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone;
    return [name('europe/berlin'), name('etc/utc'), name('GMT'), name(undefined), name('+05:30'), name('-0800'), name('+00'), name('us/PACIFIC')]`;
  expect(runProgram(engine, code).result).toEqual(['Europe/Berlin', 'UTC', 'UTC', 'UTC', '+05:30', '-08:00', '+00:00', 'US/Pacific']);
});

test('a zone keeps the name that it was asked for by, as the standard has it now', () => {
  const code = `return ['Asia/Kolkata', 'Asia/Calcutta'].map((timeZone) => new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone)`;
  expect(runProgram(engine, code).result).toEqual(['Asia/Kolkata', 'Asia/Calcutta']);
});

test('supportedValuesOf tells the zones of Node', () => {
  const zones = runProgram(engine, `return Intl.supportedValuesOf('timeZone')`).result as string[];
  expect(ALL.filter((zone) => !zones.includes(zone))).toEqual([]);
});
