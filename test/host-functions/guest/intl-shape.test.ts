import { beforeAll, expect, inject, test } from 'vitest';
import { openTestExecutor, resultOf, runBody } from '../../support/executor.ts';
import { type Engine, openEngine, runProgram } from '../harness.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine();
});
const result = (code: string): unknown => {
  const { ending, result: value } = runProgram(engine, code);
  expect(ending).toEqual({ status: 'completed' });
  return value;
};

const CLASSES = [
  'Collator',
  'DateTimeFormat',
  'DisplayNames',
  'ListFormat',
  'NumberFormat',
  'PluralRules',
  'RelativeTimeFormat',
  'Segmenter',
];

/** What a program sees of a class: attributes of its members, names, numbers of arguments, and nothing of a library. */
const SHAPE = `const of = (owner) => Reflect.ownKeys(owner).map((key) => { const { value, get, writable, enumerable, configurable } = Object.getOwnPropertyDescriptor(owner, key);
  return [String(key), typeof (value ?? get), (value ?? get)?.name ?? value, (value ?? get)?.length, writable, enumerable, configurable] }).sort((a, b) => a[0] < b[0] ? -1 : 1);
  const shapes = {}; for (const name of names) shapes[name] = [of(Intl[name]), of(Intl[name].prototype)];`;

test('classes have the members, names and attributes of Node', () => {
  const code = `const names = ${JSON.stringify(CLASSES)}; ${SHAPE} return shapes`;
  // oxlint-disable-next-line typescript/no-implied-eval -- the same text as in the guest
  const here = new Function(code) as () => unknown;
  expect(result(code)).toEqual(JSON.parse(JSON.stringify(here())));
});

test('Intl itself is as in Node, less what is absent', () => {
  const code = `return [Object.prototype.toString.call(Intl), Object.keys(Intl), Object.getOwnPropertyDescriptor(globalThis, 'Intl').enumerable, Object.getOwnPropertyNames(Intl).sort()]`;
  const [tag, keys, enumerable, names] = result(code) as [string, string[], boolean, string[]];
  expect([tag, keys, enumerable]).toEqual(['[object Intl]', [], false]);
  const known = Object.getOwnPropertyNames(Intl);
  expect(names.filter((name) => !known.includes(name))).toEqual([]);
  expect(known.filter((name) => !names.includes(name) && !['v8BreakIterator'].includes(name))).toEqual(['DurationFormat']);
});

test('classes are called, extended and recognized as in the standard', () => {
  const code = `class Own extends Intl.NumberFormat { twice(n) { return this.format(n * 2) } }
    const t = (f) => { try { return f() } catch (e) { return e.name } };
    return [Intl.NumberFormat('en').format(1.5), Intl.DateTimeFormat('en') instanceof Intl.DateTimeFormat, typeof Intl.Collator(), t(() => Intl.PluralRules()), t(() => Intl.ListFormat()),
      new Own('en').twice(1500), new Own() instanceof Own, new Intl.ListFormat('en') instanceof Intl.ListFormat, t(() => Intl.DateTimeFormat.prototype.formatToParts.call({})), t(() => Intl.ListFormat.prototype.format.call({}, [])),
      [1, 2].map(new Intl.NumberFormat('en', { style: 'percent' }).format), Object.prototype.toString.call(new Intl.PluralRules('en')), Object.keys(new Intl.NumberFormat('en')), JSON.stringify(new Intl.Collator('en'))]`;
  expect(result(code)).toEqual([
    '1.5',
    true,
    'object',
    'TypeError',
    'TypeError',
    '3,000',
    true,
    true,
    'TypeError',
    'TypeError',
    ['100%', '200%'],
    '[object Intl.PluralRules]',
    [],
    '{}',
  ]);
});

test('what goes wrong inside shows the frames of the program only, and no paths', () => {
  const calls = [
    `new Intl.NumberFormat('en', { style: 'money' })`,
    `new Intl.DateTimeFormat('en', { timeZone: 'No/Where' })`,
    `new Intl.ListFormat('en').format([1])`,
    `new Intl.Locale('_')`,
    `(1).toLocaleString('en', { style: 'unit' })`,
    `new Intl.PluralRules('en', { type: 'x' })`,
  ];
  for (const call of calls) {
    const { ending } = runProgram(engine, `function mine() {\n${call}\n}\nmine()`);
    expect(ending?.stack).toMatch(/^ {4}at (?:new )?mine \(program\.js:3:\d+\)\n {4}at program\.js:5:\d+\n?/);
    expect(ending?.stack).not.toMatch(/node_modules|formatjs|\/|<input>|eval/);
    expect(ending?.message).not.toMatch(/node_modules|formatjs|<input>/);
  }
});

test('a program that breaks the language hurts itself only', () => {
  const poison = `for (const owner of [Array.prototype, String.prototype, Map.prototype, Object, RegExp.prototype]) for (const key of Object.getOwnPropertyNames(owner)) { try { owner[key] = () => { throw new Error('poison') } } catch {} }
    try { new Intl.NumberFormat('en').format(1) } catch {} return 1`;
  runProgram(engine, poison);
  expect(result(`return (1234.5).toLocaleString()`)).toBe('1,234.5');
});

test('the same program takes the same fuel each time', async () => {
  const body = `return [(1e6).toLocaleString('en', { style: 'currency', currency: 'USD' }), new Date(0).toLocaleString(), ['b', 'ä'].sort((x, y) => x.localeCompare(y))]`;
  const executor = await openTestExecutor();
  try {
    const setup = { now: 0, seed: '00'.repeat(32) };
    const runs = [await runBody(executor, body, setup), await runBody(executor, body, setup)];
    expect(runs.map(resultOf)).toEqual([0, 1].map(() => ['$1,000,000.00', '1/1/1970, 12:00:00 AM', ['ä', 'b']]));
    expect(runs[0]?.usage.fuel).toBe(runs[1]?.usage.fuel);
  } finally {
    await executor.close();
  }
});

test.runIf(inject('engineKind') === 'quickjs')('what is used late is still the library and not the program', () => {
  expect(result(`globalThis.eval = () => 'mine'; return new Intl.ListFormat('en').format(['a', 'b'])`)).toBe('a and b');
});
