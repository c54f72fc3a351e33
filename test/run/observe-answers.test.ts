import { expect, test } from 'vitest';
import { observeAnswers } from '../../src/run/observe-answers.ts';
import { createOutputValidator } from '../../src/upstream/output-validator.ts';
import { tool } from '../wrappers/catalogs.ts';

const NUMBER = { type: 'object', properties: { n: { type: 'number' } } };
const declared = tool('declared', undefined, { outputSchema: NUMBER });
const undeclared = tool('undeclared');
const ok = (value: unknown): { ok: true; value: string } => ({ ok: true, value: JSON.stringify(value) });
const failed = { ok: false, error: { code: 'ERR_CALL_TOOL', message: 'no' } } as const;

function observer(outputs: 'warn' | 'error' | 'off'): ReturnType<typeof observeAnswers> & { noted: string[] } {
  const noted: string[] = [];
  const learner = { note: (server: string, name: string, value: string) => void noted.push(`${server}.${name} ${value}`) };
  return { ...observeAnswers({ outputs, validateOutput: createOutputValidator(), learner }), noted };
}

test('a successful answer of a tool that declares nothing is noted, and nothing else is', () => {
  const one = observer('warn');
  const answer = ok({ a: 1 });
  expect(one.observe('s', undeclared, answer)).toBe(answer);
  one.observe('s', undeclared, failed);
  one.observe('s', declared, ok({ n: 1 }));
  expect(one.noted).toEqual(['s.undeclared {"a":1}']);
  expect(one.warnings()).toEqual([]);
});

test('equal breaks are told once with their number, different ones each', () => {
  const one = observer('warn');
  const answer = ok({ n: 'x' });
  for (let times = 0; times < 3; times++) expect(one.observe('s', declared, answer)).toBe(answer);
  one.observe('s', declared, ok([]));
  expect(one.warnings()).toEqual([
    {
      code: 'WARN_OUTPUT_SCHEMA',
      message: 's.declared broke its declared output schema: result.n is a string, declared as number (3 answers)',
    },
    { code: 'WARN_OUTPUT_SCHEMA', message: 's.declared broke its declared output schema: result is an array, declared as object' },
  ]);
});

test('so many different breaks are told, and of the others their number', () => {
  const one = observer('warn');
  for (let at = 0; at < 20; at++) one.observe('s', { ...declared, name: `t${at}` }, ok({ n: 'x' }));
  expect(one.warnings()).toHaveLength(20);
  one.observe('s', { ...declared, name: 'more' }, ok({ n: 'x' }));
  expect(one.warnings()).toHaveLength(21);
  expect(one.warnings().at(-1)?.message).toBe('And 1 more breaks of declared output schemas.');
});

test('in strict mode a break is an error that names tool and field', () => {
  const one = observer('error');
  expect(one.observe('s', declared, ok({ n: 'x' }))).toMatchObject({
    ok: false,
    error: { code: 'ERR_CALL_OUTPUT', message: expect.stringContaining('result.n is a string, declared as number') },
  });
  expect(one.observe('s', declared, failed)).toBe(failed);
  expect(one.warnings()).toEqual([]);
});

test('with "off" nothing is looked at', () => {
  const one = observer('off');
  const answer = ok({ n: 'x' });
  expect(one.observe('s', declared, answer)).toBe(answer);
  expect(one.warnings()).toEqual([]);
});

test('a warning looks at so much of large answers in a run, an error at all', () => {
  const sized = (length: number): { ok: true; value: string } => ({ ok: true, value: `{"n":"${'x'.repeat(length - 8)}"}` });
  const [small, limit] = [100 * 1024, 1024 * 1024];
  expect(sized(limit).value).toHaveLength(limit);
  const seen = (...lengths: number[]): number => {
    const one = observer('warn');
    lengths.forEach((length, at) => one.observe('s', { ...declared, name: `t${at}` }, sized(length)));
    return one.warnings().length;
  };
  expect([seen(limit), seen(limit + 1)]).toEqual([1, 0]);
  expect([seen(limit, small), seen(limit, small + 1), seen(limit - small - 1, small + 1)]).toEqual([2, 1, 2]);
  const strict = observer('error');
  for (let times = 0; times < 3; times++) expect(strict.observe('s', declared, sized(limit + 1)).ok).toBe(false);
});
