import { expect, test } from 'vitest';
import { compareOutlines } from '../../src/drift/compare.ts';
import { outlineOf, type ToolOutline } from '../../src/drift/outline.ts';
import { tool } from '../wrappers/catalogs.ts';

type Schema = Record<string, unknown>;
const object = (properties: Schema, required: string[] = [], more: Schema = {}): Schema => ({
  type: 'object',
  properties,
  required,
  ...more,
});
const TEXT = { type: 'string' };
const NUMBER = { type: 'number' };

function changes(before: [Schema, (Schema | undefined)?], after: [Schema, (Schema | undefined)?]): string[] {
  const [one, other] = [before, after].map(
    ([input, output]) => JSON.parse(outlineOf(tool('t', input, output && { outputSchema: output })).text) as ToolOutline,
  );
  return one && other ? compareOutlines(one, other) : [];
}

test.each<[string, Schema, Schema, string[]]>([
  ['nothing', object({ a: TEXT }, ['a']), object({ a: TEXT }, ['a']), []],
  ['an argument more', object({}), object({ a: TEXT }), ['argument "a" was added']],
  ['a required argument more', object({}), object({ a: TEXT }, ['a']), ['argument "a" was added and is required']],
  ['an argument less', object({ a: TEXT }), object({}), ['argument "a" is gone']],
  ['an argument that is now required', object({ a: TEXT }), object({ a: TEXT }, ['a']), ['argument "a" is now required']],
  ['an argument that is no longer required', object({ a: TEXT }, ['a']), object({ a: TEXT }), ['argument "a" is no longer required']],
  ['another type', object({ a: TEXT }), object({ a: NUMBER }), ['argument "a" is now number, it was string']],
  [
    'other items',
    object({ a: { type: 'array', items: TEXT } }),
    object({ a: { type: 'array', items: NUMBER } }),
    ['argument "a" is now array of number, it was array of string'],
  ],
  [
    'other values',
    object({ a: { enum: ['x', 'y'] } }),
    object({ a: { enum: ['x'] } }),
    ['argument "a" takes other values than before (one of some values)'],
  ],
  [
    'something deep inside',
    object({ a: object({ b: TEXT }) }),
    object({ a: object({ b: NUMBER }) }),
    ['argument "a" takes other values than before (object)'],
  ],
  [
    'what is referred to',
    object({ a: { $ref: '#/$defs/x' } }, [], { $defs: { x: TEXT } }),
    object({ a: { $ref: '#/$defs/x' } }, [], { $defs: { x: NUMBER } }),
    ['what it takes changed in a detail'],
  ],
  [
    'descriptions and the order of things',
    object({ a: { ...TEXT, description: 'x', default: 'y' }, b: { enum: [1, 2] } }, ['a', 'b']),
    { title: 'T', required: ['b', 'a'], properties: { b: { enum: [2, 1] }, a: { description: 'z', type: 'string' } }, type: 'object' },
    [],
  ],
  [
    'an argument that is called like a keyword',
    object({ description: TEXT, default: TEXT }),
    object({ default: TEXT }),
    ['argument "description" is gone'],
  ],
  [
    'a way to the prototype',
    object({}),
    object(JSON.parse('{"__proto__": {"type": "string"}}') as Schema),
    ['argument "__proto__" was added'],
  ],
])('%s is told', (_, before, after, expected) => {
  expect(changes([before], [after])).toEqual(expected);
});

test.each<[string, Schema | undefined, Schema | undefined, string[]]>([
  ['a type of its own', undefined, object({ a: TEXT }), ['the type of its result is now declared']],
  ['none any more', object({ a: TEXT }), undefined, ['the type of its result is no longer declared']],
  ['another kind', object({}), { type: 'array', items: TEXT }, ['its result is now array of string, it was object']],
  ['a field less', object({ a: TEXT }), object({}), ['result."a" is gone']],
  ['a field that may be missing', object({ a: TEXT }, ['a']), object({ a: TEXT }), ['result."a" is no longer always there']],
  ['another type of a field', object({ a: TEXT }), object({ a: NUMBER }), ['result."a" is now number, it was string']],
  ['another detail', object({}, [], { minProperties: 1 }), object({}, [], { minProperties: 2 }), ['its result changed in a detail']],
])('a result with %s is told', (_, before, after, expected) => {
  expect(changes([object({}), before], [object({}), after])).toEqual(expected);
});

test('many changes are told in short, what breaks a program first', () => {
  const many = (start: number): Schema => Object.fromEntries([...Array(5).keys()].map((at) => [`a${start + at}`, TEXT]));
  const told = changes([object(many(0))], [object(many(5))]);
  expect(told).toEqual([
    'argument "a0" is gone',
    'argument "a1" is gone',
    'argument "a2" is gone',
    'argument "a3" is gone',
    'argument "a4" is gone',
    'argument "a5" was added',
    '4 more changes',
  ]);
});

test('the outline of a huge schema is short, and still notices a change at its end', () => {
  const huge = (last: Schema): Schema =>
    object(Object.fromEntries([...Array(5_000).keys()].map((at) => [`a${at}`, at === 4_999 ? last : TEXT])));
  expect(outlineOf(tool('t', huge(TEXT))).text.length).toBeLessThan(10_000);
  expect(changes([huge(TEXT)], [huge(NUMBER)])).toEqual(['what it takes changed in a detail']);
});
