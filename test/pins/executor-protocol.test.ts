import { expect, test } from 'vitest';
import { z } from 'zod';
import { commandSchema, eventSchema, PROTOCOL } from '../../src/execute/executor-protocol.ts';

/*
 * A pin: what gateway and executor say to each other, as literals. Whoever changes it changes the version too: the two come from one
 * installation, which may be replaced while the gateway runs.
 */

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly prefixItems?: readonly Schema[];
  readonly const?: unknown;
}

/** Members of a message in the order in which they are written down, with "?" after those that may be absent. */
function members({ properties = {}, required = [], items, anyOf = [], oneOf = [] }: Schema): string[] {
  const own = Object.entries(properties).flatMap(([key, value]) => {
    const inner = members(value);
    const text = typeof value.const === 'string' ? `${key}=${value.const}` : key;
    return [`${text}${required.includes(key) ? '' : '?'}${inner.length > 0 ? `{${inner.join(' ')}}` : ''}`];
  });
  return [
    ...own,
    ...(items === undefined ? [] : members(items)),
    ...[...anyOf, ...oneOf].map((part) => members(part).join(' ')).filter(Boolean),
  ];
}

function messages(schema: typeof commandSchema | typeof eventSchema, left: readonly string[]): string[] {
  return schema.options.flatMap((option) => {
    const [type = '', ...rest] = members(z.toJSONSchema(option, { unrepresentable: 'any' }) as Schema);
    const name = type.replace('type=', '');
    return left.includes(name) ? [] : [[name, ...rest].join(' ')];
  });
}

const HISTORY = 'history?{steps files?{path bytes hash}}';
const USAGE = 'usage{fuel peakMemoryBytes activeMs waitingMs toolCalls}';
const LIMITS =
  'limits{timeoutMs waitMs fuel memoryMb maxToolCalls maxConcurrentToolCalls maxResultBytes maxStateBytes maxLogBytes maxToolArgumentBytes maxFileBytes}';
const FROM = 'from?{kind=image bytes now pending lastCall kind=history bytes now?}';

test('the version, and what the gateway says', () => {
  expect(PROTOCOL).toBe(4);
  expect(messages(commandSchema, ['init'])).toEqual([
    'ping ping',
    `run run executionId key input state ${LIMITS} results? skills? now? seed? payload ${FROM} hibernation?{afterMs maxImageBytes stayMs?} history?`,
    'script run',
    'make run? key',
    'answer run call ok code?',
    'cancel run',
    'hibernate run',
  ]);
});

test('what the executor says', () => {
  const end = 'end{status=completed result state status=failed code message name? stack? hint?}';
  const outcome = `${end} logs{level message} droppedLogBytes calls{server tool ok ms code?} ${USAGE} cache phases{queue component run}`;
  expect(messages(eventSchema, [])).toEqual([
    'hello protocol',
    'ready',
    'fatal message',
    'pong ping',
    'queued run',
    'begun run',
    'need run',
    `calls run calls{call server tool bytes at? fuel? step?} ${HISTORY}`,
    `history run ${HISTORY.replace('?', '')}`,
    'awaits run calls',
    `hibernated run pending lastCall nextTimer now ${USAGE} ${HISTORY}`,
    `waiting run nextTimer ${HISTORY}`,
    'made key run?',
    `outcome run outcome{${outcome}} large?{result logs} ${HISTORY}`,
    'refused run code message hint?',
  ]);
});
