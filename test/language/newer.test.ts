import { expect, test } from 'vitest';
import { openOurs } from './differential.ts';

/** What Node 24 does not have: compared with what the standards and their test suites say. */
const ours = openOurs();

/** The lines of a program's result; those that are wrong with its types when there are any. */
async function linesOf(code: string): Promise<string[]> {
  const problems = await ours.problems(code);
  return problems.length > 0 ? problems : (await ours.run(code)).split('\n');
}

test('bytes as base64 and hexadecimal text, and back', async () => {
  const code = `const bytes = new TextEncoder().encode("ü?>");
const into = new Uint8Array(4);
const wrong = (work: () => unknown) => { try { return String(work()); } catch (thrown) { return (thrown as Error).name; } };
return [bytes.toBase64(), bytes.toBase64({ alphabet: "base64url", omitPadding: true }), bytes.toHex(), Uint8Array.fromHex("c3BC").join(), Uint8Array.fromBase64("w7w/Pg==").join(),
  Uint8Array.fromBase64("w7w_Pg", { alphabet: "base64url" }).join(), JSON.stringify(into.setFromBase64("AQID")), into.join(), JSON.stringify(into.setFromHex("ff")), wrong(() => Uint8Array.fromHex("abc")),
  wrong(() => Uint8Array.fromBase64("w7w/Pg", { lastChunkHandling: "strict" }))].join("\\n");`;
  expect(await linesOf(code)).toEqual([
    'w7w/Pg==',
    'w7w_Pg',
    'c3bc3f3e',
    '195,188',
    '195,188,63,62',
    '195,188,63,62',
    '{"read":4,"written":3}',
    '1,2,3,0',
    '{"read":2,"written":1}',
    'SyntaxError',
    'SyntaxError',
  ]);
});

test('maps that insert, sums without rounding, joined iterators', async () => {
  const code = `const map = new Map<string, number[]>(); map.getOrInsert("a", []).push(1); map.getOrInsertComputed("a", () => [9]).push(2); map.getOrInsertComputed("b", (key) => [key.length]);
const weak = new WeakMap<object, number>(); const key = {};
return [JSON.stringify([...map]), weak.getOrInsert(key, 5) + weak.getOrInsert(key, 7), Math.sumPrecise([1e20, 0.1, -1e20]), Math.sumPrecise([0.1, 0.2, 0.3]), Object.is(Math.sumPrecise([]), -0),
  Iterator.concat([1], new Set([2]), [3].values()).map((n) => n * 2).toArray().join()].join("\\n");`;
  expect(await linesOf(code)).toEqual(['[["a",[1,2]],["b",[1]]]', '10', '0.1', '0.6', 'true', '2,4,6']);
});

test('the source of numbers in JSON, and JSON as it is', async () => {
  const code = `const sources: unknown[] = [];
JSON.parse('[1.50, "x", 9007199254740993]', (key, value, context) => { sources.push(context.source); return value; });
return [sources.join("|"), JSON.stringify({ id: JSON.rawJSON("9007199254740993") }), JSON.isRawJSON(JSON.rawJSON("1"))].join("\\n");`;
  expect(await linesOf(code)).toEqual(['1.50|"x"|9007199254740993|', '{"id":9007199254740993}', 'true']);
});

test('an object that is not an error gets a stack of the program', async () => {
  const code = 'const target: { stack?: string } = {}; Error.captureStackTrace(target); return typeof target.stack;';
  expect(await linesOf(code)).toEqual(['string']);
});

test('Temporal: dates, times, durations, zones and their texts', async () => {
  const code = `const leap = Temporal.PlainDate.from("2024-02-29");
const meeting = Temporal.ZonedDateTime.from("2024-03-10T01:30[America/New_York]");
const wrong = (work: () => unknown) => { try { return String(work()); } catch (thrown) { return (thrown as Error).name; } };
return [leap.add({ months: 1 }), leap.add({ years: 1 }), leap.until("2024-12-25", { largestUnit: "month" }), leap.dayOfWeek, leap.weekOfYear, leap.inLeapYear, meeting.add({ hours: 1 }), meeting.withTimeZone("Europe/Berlin"),
  Temporal.Instant.from("2024-01-01T00:00Z").epochMilliseconds, Temporal.Duration.from("PT90M").round({ largestUnit: "hour" }), Temporal.PlainTime.from("23:59").add({ minutes: 2 }), Temporal.PlainDateTime.compare("2024-01-01T00:00", "2024-01-02T00:00"),
  Temporal.PlainYearMonth.from("2024-02").daysInMonth, JSON.stringify({ leap }), leap.toLocaleString("en-US", { dateStyle: "long" }), wrong(() => leap > leap), wrong(() => Temporal.PlainDate.from("2024-02-30")),
  new Date(0).toTemporalInstant(), Temporal.Now.instant().epochMilliseconds === Date.now(), Temporal.Now.timeZoneId(), Object.prototype.toString.call(leap), typeof globalThis.Temporal, new Intl.DateTimeFormat("en-US", { dateStyle: "short" }).format(leap)].map(String).join("\\n");`;
  expect(await linesOf(code)).toEqual(
    `2024-03-29|2025-02-28|P9M26D|4|9|true|2024-03-10T03:30:00-04:00[America/New_York]|2024-03-10T07:30:00+01:00[Europe/Berlin]|1704067200000|PT1H30M|00:01:00|-1|29|{"leap":"2024-02-29"}|February 29, 2024|TypeError|RangeError|1970-01-01T00:00:00Z|true|UTC|[object Temporal.PlainDate]|object|2/29/24`.split(
      '|',
    ),
  );
});

test('a program with a Temporal of its own keeps it, and one that does not name it has none', async () => {
  expect(await ours.run('const Temporal = { own: 1 }; return String(Temporal.own);')).toBe('1');
  expect(await ours.run('return String(Object.getOwnPropertyNames(globalThis).includes(["Temp", "oral"].join("")));')).toBe('false');
});
