import { describe, expect, test } from 'vitest';
import type { WaitReason } from '../../src/execution/durable-run.ts';
import { executeOutputSchema } from '../../src/result/output-schema.ts';
import { presentWaiting } from '../../src/result/present-waiting.ts';
import { inForm } from '../../src/result/stored-answer.ts';
import { usageOf } from '../../src/result/usage.ts';

const TOOL: WaitReason = { kind: 'tool', call: 2, server: 'github', tool: 'list_issues', since: 1_000 };
const TIMER: WaitReason = { kind: 'timer', at: 86_400_000 };
const ASKED: WaitReason = {
  kind: 'approval',
  call: 1,
  server: 'files',
  tool: 'drop',
  since: 0,
  approval: 'apr_1',
  text: 'May it?\nArguments: {}',
};
const base = { executionId: 'exe_1' };

function textOf(input: Parameters<typeof presentWaiting>[0]): string {
  const [block] = presentWaiting({ ...input, form: 'text' }).content;
  return block?.type === 'text' ? block.text : '';
}

describe('the answer about a run that goes on', () => {
  test('says what it waits for, people first, and what to do next', () => {
    const { structured, reduced, content } = presentWaiting({ ...base, session: 'ses_1', reasons: [TOOL, TIMER, ASKED] });
    expect(executeOutputSchema.parse(structured)).toEqual(structured);
    expect(reduced).toEqual({
      status: 'waiting',
      executionId: 'exe_1',
      session: 'ses_1',
      waiting: [
        {
          kind: 'approval',
          call: 1,
          server: 'files',
          tool: 'drop',
          since: '1970-01-01T00:00:00.000Z',
          approval: 'apr_1',
          question: 'May it?\nArguments: {}',
        },
        { kind: 'timer', until: '1970-01-02T00:00:00.000Z' },
        { kind: 'tool', call: 2, server: 'github', tool: 'list_issues', since: '1970-01-01T00:00:01.000Z' },
      ],
      next: expect.stringMatching(/A person has to approve.*`ampoule approvals`.*wait_execution/) as string,
    });
    expect(content).toEqual([{ type: 'text', text: 'waiting; what to do next is in structuredContent' }]);
  });

  test('says nothing of a person where nobody is asked, nor of costs that are not known', () => {
    const { reduced } = presentWaiting({ executionId: 'exe_1', reasons: [] });
    expect(reduced).toEqual({
      status: 'waiting',
      executionId: 'exe_1',
      next: 'The run goes on by itself: call wait_execution with this executionId for its answer, or cancel_execution.',
    });
    const usage = { ...usageOf(undefined, {}), fuel: 5 };
    expect(presentWaiting({ ...base, reasons: [TOOL], usage }).reduced).toMatchObject({ usage: { fuel: 5 } });
  });

  test('is the same in another form', () => {
    const made = presentWaiting({ ...base, session: 'ses_1', reasons: [ASKED] });
    expect(inForm(made, 'structured')).toEqual(made);
    expect(inForm(made, 'text')).toEqual(presentWaiting({ ...base, session: 'ses_1', reasons: [ASKED], form: 'text' }));
  });

  test('has everything in the text, and nothing twice, for clients that read text alone', () => {
    const { reduced } = presentWaiting({ ...base, session: 'ses_1', reasons: [ASKED, TIMER, TOOL], form: 'text' });
    expect(reduced).toEqual({ status: 'waiting', executionId: 'exe_1', session: 'ses_1', restIn: 'text' });
    expect(textOf({ ...base, session: 'ses_1', reasons: [ASKED, TIMER, TOOL] }).split('\n')).toEqual([
      'waiting: the run goes on; executionId: exe_1',
      'it waits for:',
      '  approval apr_1 of call 1 of files.drop, since 1970-01-01T00:00:00.000Z:',
      '    May it?',
      '    Arguments: {}',
      '  timer until 1970-01-02T00:00:00.000Z',
      '  call 2 of github.list_issues, since 1970-01-01T00:00:01.000Z',
      expect.stringMatching(/^next: A person has to approve/) as string,
      'session: ses_1',
    ]);
  });

  test.each([
    [10, undefined],
    [11, 1],
    [5_000, 4_990],
  ])('names ten things at most: of %i, %s more are counted', (count, more) => {
    const reasons = Array.from({ length: count }, (_, call) => ({ ...TOOL, call }));
    const { structured } = presentWaiting({ ...base, reasons });
    expect([structured.waiting?.length, structured.moreWaiting]).toEqual([10, more]);
    expect(textOf({ ...base, reasons }).includes(`… and ${more} more`)).toBe(more !== undefined);
    expect(JSON.stringify(structured).length).toBeLessThan(3_000);
  });

  test('shows names and questions of strangers harmless and short', () => {
    const hostile = { ...ASKED, server: 'a\u001b[31m\nb', tool: 'x'.repeat(500), text: `\u202E${'q'.repeat(5_000)}` } as const;
    const { structured } = presentWaiting({ ...base, reasons: [hostile] });
    const [shown] = structured.waiting ?? [];
    expect(shown).toMatchObject({ server: String.raw`a\u001b[31m\nb`, tool: `${'x'.repeat(128)}… (372 more characters)` });
    expect(shown?.kind === 'approval' && shown.question.startsWith('\\u202eq')).toBe(true);
    expect(JSON.stringify(structured).length).toBeLessThan(1_500);
  });

  test('has what is to be hidden hidden', () => {
    const hide = (text: string): string => text.replaceAll('ann@example.com', '<email>');
    const reasons = [{ ...ASKED, text: 'Mail to ann@example.com?', tool: 'ann@example.com' }];
    expect(JSON.stringify(presentWaiting({ ...base, reasons, hide }))).not.toContain('ann@');
    expect(textOf({ ...base, reasons, hide })).not.toContain('ann@');
  });

  test.each([Number.NaN, -1, Number.POSITIVE_INFINITY, 1e300])('can be told of a timer at %d', (at) => {
    expect(() => presentWaiting({ ...base, reasons: [{ kind: 'timer', at }] })).not.toThrow();
  });
});
