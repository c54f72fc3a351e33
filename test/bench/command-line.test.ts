import { expect, test } from 'vitest';
import { parseCommandLine, UsageError } from '../../bench/command-line.ts';

const PARTS = ['http', 'check', 'memory'];
const ENGINES = ['quickjs', 'starlingmonkey'];
const parse = (...args: string[]): ReturnType<typeof parseCommandLine> => parseCommandLine(args, PARTS, ENGINES);

test('without options everything is measured', () => {
  expect(parse()).toEqual({ only: [], quick: false, check: false, help: false });
});

test('parts come repeated or in a list, each once', () => {
  expect(parse('--only', 'http,check', '--only', 'memory', '--only', 'http').only).toEqual(['http', 'check', 'memory']);
});

test('an unknown part is told with the nearest name and with all names', () => {
  expect(() => parse('--only', 'htp')).toThrow(
    new UsageError('There is no part "htp". Did you mean "http"? There are: http, check, memory.'),
  );
});

test('an unknown engine is told with the names that there are', () => {
  expect(() => parse('--engine', 'v8')).toThrow(/There is no engine "v8"\..* There are: quickjs, starlingmonkey\./);
});

test('an unknown option is a usage error', () => {
  expect(() => parse('--fast')).toThrow(UsageError);
});

test('files and the engine are passed on', () => {
  expect(parse('--json', 'a.json', '--report', 'b.html', '--plot', 'c.svg', '--engine', 'quickjs', '--quick', '--check')).toEqual({
    only: [],
    quick: true,
    check: true,
    help: false,
    json: 'a.json',
    report: 'b.html',
    plot: 'c.svg',
    engine: 'quickjs',
  });
});
