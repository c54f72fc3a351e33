import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LANES } from '../server/clients.ts';
import { answerOf, fixture, startAmpoule, type Ampoule } from './harness.ts';

/** As a model writes it for a person: new syntax, formats of a locale, zones by name, and text in any script. */
const REPORT = `import { echo } from "servers/answers";
enum Kind { Sale = "sale", Refund = "refund" }
interface Row { kind: Kind; amount: number; at: string; who: string }
const { rows } = (await echo({ rows: input })) as { rows: Row[] };
const log: string[] = [];
{
  using done = { [Symbol.dispose]: () => void log.push("closed") };
  log.push(typeof done);
}
const money = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" });
const day = new Intl.DateTimeFormat("en-US", { dateStyle: "medium", timeZone: "America/New_York" });
const totals = Object.entries(Object.groupBy(rows, ({ kind }) => kind)).map(([kind, list]) => \`\${kind}: \${money.format(list.reduce((sum, { amount }) => sum + amount, 0))}\`);
return {
  totals,
  days: [...new Set(rows.map(({ at }) => day.format(new Date(at))))],
  due: Temporal.PlainDate.from("2024-01-31").add({ months: 1 }).toString(),
  words: rows.map(({ who }) => who.match(/\\p{Lu}\\p{L}*/gu)?.[0]),
  sorted: rows.map(({ who }) => who).sort((a, b) => a.localeCompare(b)),
  log,
};`;

const ROWS = [
  { kind: 'sale', amount: 1234.5, at: '2024-03-01T02:00:00Z', who: 'der Émile' },
  { kind: 'refund', amount: -5, at: '2024-03-01T12:00:00Z', who: 'an Élan' },
  { kind: 'sale', amount: 0.5, at: '2024-03-01T13:00:00Z', who: 'die Zoë' },
];

let ampoule: Ampoule;
beforeAll(async () => {
  ampoule = await startAmpoule({ mcpServers: { answers: fixture('answers') } });
});
afterAll(() => ampoule.stop());

describe.each(LANES)('%s', (lane) => {
  test('a program with formats, zones, new syntax and Unicode gives what Node gives', async () => {
    const client = await ampoule.connect(lane);
    const { output } = answerOf(await client.call({ code: REPORT, input: ROWS }));
    expect(output.error).toBeUndefined();
    expect(output.result).toEqual({
      totals: ['sale: $1,235.00', 'refund: -$5.00'],
      days: ['Feb 29, 2024', 'Mar 1, 2024'],
      due: '2024-02-29',
      words: ['Émile', 'Élan', 'Zoë'],
      sorted: ['an Élan', 'der Émile', 'die Zoë'],
      log: ['object', 'closed'],
    });
  });

  test('what there is not is said before the run, with its place and a way around', async () => {
    const client = await ampoule.connect(lane);
    const code = 'const kept = 1;\nconst bytes = Buffer.from("a");\nreturn new Blob([bytes, kept]);';
    const { output, isError } = answerOf(await client.call({ code }));
    expect(isError).toBe(true);
    expect(output.error?.code).toBe('ERR_CHECK_TYPES');
    expect(output.error?.diagnostics).toMatchObject([
      { message: expect.stringContaining('Uint8Array'), location: { line: 2, column: 15 } },
      { message: expect.stringContaining('Uint8Array'), location: { line: 3, column: 12 } },
    ]);
  });
});

test('formats of a locale that there is not are told beside the result', async () => {
  const { output } = await ampoule.execute('return new Date(0).toLocaleDateString("en-CA");');
  expect(output.result).toBe('1/1/1970');
  expect(output.warnings).toMatchObject([
    { code: 'WARN_LOCALE', message: expect.stringContaining('"en-CA" is not here'), location: { line: 1, column: 40 } },
  ]);
});

test('a position in a program that names Temporal is that of its own text', async () => {
  const { output } = await ampoule.execute('const day = Temporal.Now.plainDateISO();\n\n  throw new RangeError(day.calendarId);');
  expect(output.error).toMatchObject({ message: 'RangeError: iso8601', location: { line: 3, column: 9 } });
});
