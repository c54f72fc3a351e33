import type { RunLimits, RunUsage } from '../execute/run.ts';
import { clipText, harmlessLine, harmlessText } from '../result/harmless-text.ts';
import { toSeconds, type ShownExecution, type ShownWait, type StoryLine } from './execution-story.ts';
import { countOf, duration, momentAfter } from './quantities.ts';
import { drawTable } from './table.ts';

/** Of a block of text that people read; with --json there is all of it. */
const BLOCK_CHARS = 64 * 1024;
const LINE_CHARS = 160;
const KEY_CHARS = 12;
const MAX_PENDING = 10;
const MiB = 1024 * 1024;

/** Of what became of a call its number comes first. */
const WORDS: Readonly<Record<StoryLine['what'], string>> = {
  begun: 'begun',
  asked: 'asks a person',
  decided: 'decided',
  called: '',
  'sent again': 'sent again',
  answered: 'answered',
  hibernated: 'put away',
  resumed: 'goes on',
  restarted: 'begun again',
  ended: 'ended',
};

/** `ampoule executions show` as a person reads it. All texts are strangers': nothing in them moves the cursor, and none looks like a line of ours. */
export function storyText(shown: ShownExecution): string {
  const { source, input, warnings, phases, usage, limits, answer } = shown;
  const parts = [
    drawTable(factsOf(shown)),
    block('Source', numbered(source)),
    block('Input', JSON.stringify(input, undefined, 2)),
    ...(warnings.length > 0
      ? [block('Warnings', warnings.map(({ code, message }) => `${code === undefined ? '' : `${code}: `}${message}`).join('\n'))]
      : []),
    ...(Object.keys(phases).length > 0
      ? [
          block(
            'Phases',
            Object.entries(phases)
              .map(([name, ms]) => `${name} ${Math.round(ms * 10) / 10} ms`)
              .join(', '),
          ),
        ]
      : []),
    block('Story', timeline(shown.story)),
    ...(usage && limits ? [block('Used', drawTable(usedOf(usage, limits)))] : []),
    ...(answer ? answerBlocks(answer) : []),
  ];
  return `${parts.join('\n\n')}\n`;
}

function factsOf({
  id,
  principal,
  status,
  created,
  ended,
  programKey,
  engineHash,
  dryRun,
  hibernations,
  restarts,
  imageBytes,
  waitsFor,
  isComplete,
  dropped,
}: ShownExecution): string[][] {
  const took = ended === undefined ? '' : ` (${duration(Date.parse(ended) - Date.parse(created))})`;
  return [
    ['execution', harmlessLine(id)],
    ['principal', harmlessLine(principal)],
    ['status', `${status}${dryRun ? ', a dry run' : ''}`],
    ['created', toSeconds(Date.parse(created))],
    ...(ended === undefined ? [] : [['ended', `${toSeconds(Date.parse(ended))}${took}`]]),
    ...(programKey === undefined
      ? []
      : [['program', `${harmlessLine(programKey.slice(0, KEY_CHARS))} on engine ${harmlessLine((engineHash ?? '').slice(0, KEY_CHARS))}`]]),
    ['put away', `${times(hibernations)}${imageBytes > 0 ? `, now as ${countOf(imageBytes)} bytes` : ''}`],
    ...[waitsFor && waitText(waitsFor)].flatMap((text) => (text ? [['waits for', text]] : [])),
    ['begun again', times(restarts)],
    [
      'record',
      isComplete
        ? 'whole: it can be replayed'
        : `not whole: it got too long or could not be written, and cannot be replayed${droppedText(dropped)}`,
    ],
  ];
}

function droppedText(dropped: ShownExecution['dropped']): string {
  return dropped === undefined || dropped.calls <= 0 ? '' : `; ${dropped.calls} of ${dropped.of} calls were dropped with their answers`;
}

function waitText({ calls, approvals, until }: ShownWait): string {
  const asked = new Set(approvals.map(({ call }) => call));
  const unasked = calls.filter(({ call }) => !asked.has(call)).map(callName);
  const some = (all: readonly string[]): string =>
    `${all.slice(0, MAX_PENDING).join(', ')}${all.length > MAX_PENDING ? ` and ${all.length - MAX_PENDING} more` : ''}`;
  return [
    ...(approvals.length === 0
      ? []
      : [`a person's word about ${some(approvals.map(({ id, call }) => `call ${call} (${harmlessLine(id)})`))}`]),
    ...(unasked.length === 0 ? [] : [some(unasked)]),
    ...(until === undefined ? [] : [`a timer at ${toSeconds(Date.parse(until))}`]),
  ].join(', ');
}

function callName({ call, tool }: ShownWait['calls'][number]): string {
  return tool === undefined ? `call ${call}` : `call ${call} (${harmlessLine(clipText(tool, LINE_CHARS))})`;
}

/** Times from the beginning: what people ask is how long something took. */
function timeline(story: readonly StoryLine[]): string {
  const begun = story[0]?.at ?? 0;
  const rows = story.map(({ at, what, call, text }) => [
    momentAfter(at - begun),
    [...(call === undefined ? [] : [`call ${call}`]), WORDS[what]].join(' ').trimEnd(),
    harmlessLine(clipText(text, LINE_CHARS)),
  ]);
  return drawTable(rows);
}

function usedOf(usage: RunUsage, limits: RunLimits): string[][] {
  const row = (name: string, used: number, limit: number, shown: (amount: number) => string = countOf): string[] => {
    const share = limit > 0 ? `${shareOf(used, limit)} %` : '';
    return [name, shown(used), `of ${shown(limit)}`, share];
  };
  return [
    row('fuel', usage.fuel, limits.fuel),
    row('memory', Math.round((usage.peakMemoryBytes / MiB) * 10) / 10, limits.memoryMb, (megabytes) => `${countOf(megabytes)} MB`),
    row('active time', Math.round(usage.activeMs), limits.timeoutMs, duration),
    row('waiting time', Math.round(usage.waitingMs), limits.waitMs, duration),
    row('tool calls', usage.toolCalls, limits.maxToolCalls),
  ];
}

/** In percent. What was used at all is not shown as nothing. */
function shareOf(used: number, limit: number): string {
  const share = Math.round((used / limit) * 1_000) / 10;
  return used > 0 && share === 0 ? '< 0.1' : countOf(share);
}

function answerBlocks({ error, result, logs }: Readonly<Record<string, unknown>>): string[] {
  const log = Array.isArray(logs) && logs.length > 0 ? [block('Log', logs.map((entry) => JSON.stringify(entry)).join('\n'))] : [];
  if (error !== undefined) return [...log, block('Error', JSON.stringify(error, undefined, 2))];
  return result === undefined ? log : [...log, block('Result', JSON.stringify(result, undefined, 2))];
}

/** A program with the numbers of its lines. */
export function numbered(text: string): string {
  const lines = text.replace(/\n$/, '').split('\n');
  const width = String(lines.length).length;
  return lines.map((line, index) => `${String(index + 1).padStart(width)}  ${line}`).join('\n');
}

/** Each line is moved in: none of a stranger looks like one of ours. */
function block(title: string, text: string): string {
  return `${title}:\n${harmlessText(clipText(text, BLOCK_CHARS)).replaceAll(/^/gm, '  ')}`;
}

function times(count: number): string {
  return count === 1 ? 'once' : count === 0 ? 'never' : `${count} times`;
}
