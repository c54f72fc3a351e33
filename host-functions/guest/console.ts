import { now } from './clock.ts';
import { consoleTable } from './console-table.ts';
import { inspect } from './inspect.ts';
import { type Level, maxMessage, write, writeText } from './log.ts';
import * as p from './primordials.ts';
import { programFrames } from './stack.ts';

const MAX_INDENT = 20;
const MAX_LABELS = 1_000;
const counts = new p.NativeMap<string, number>();
const starts = new p.NativeMap<string, number>();
let indent = '';

type Arguments = ArrayLike<unknown>;

function out(level: Level): (...args: unknown[]) => void {
  return (...args) => write(level, args, indent);
}

function labelOf(label: unknown): string {
  return typeof label === 'string' ? p.cut(label, 200) : label === undefined ? 'default' : inspect(label, 0, 200);
}

function remember(map: Map<string, number>, label: string, value: number): void {
  if (p.mapHas(map, label) || (p.mapSize(map) as number) < MAX_LABELS) p.mapSet(map, label, value);
}

function assert(condition?: unknown, ...rest: unknown[]): void {
  if (condition) return;
  const first = rest[0];
  if (rest.length > 0 && typeof first === 'string') rest[0] = `Assertion failed: ${first}`;
  write('error', rest.length === 0 ? ['Assertion failed'] : typeof first === 'string' ? rest : withFirst('Assertion failed', rest), indent);
}

function withFirst(first: unknown, rest: Arguments): Arguments {
  const all = p.newList<unknown>();
  p.push(all, first);
  for (let i = 0; i < rest.length; i++) p.push(all, rest[i]);
  return all;
}

function trace(...args: unknown[]): void {
  const frames = programFrames(new p.NativeError());
  write('debug', withFirst('Trace:', args), indent);
  if (frames !== '') writeText('debug', frames, indent);
}

function group(...args: unknown[]): void {
  if (args.length > 0) write('info', args, indent);
  if (indent.length < MAX_INDENT) indent += '  ';
}

function groupEnd(): void {
  indent = p.slice(indent, 2);
}

function count(label?: unknown): void {
  const name = labelOf(label);
  const next = ((p.mapGet(counts, name) as number | undefined) ?? 0) + 1;
  remember(counts, name, next);
  writeText('info', `${name}: ${next}`, indent);
}

function timeLog(label?: unknown, ...args: unknown[]): void {
  const name = labelOf(label);
  const start = p.mapGet(starts, name) as number | undefined;
  if (start === undefined) return writeText('warn', `No such label '${name}' for console.time`, indent);
  write('info', withFirst(`${name}: ${now() - start}ms`, args), indent);
}

function timeEnd(label?: unknown): void {
  timeLog(label);
  p.mapDelete(starts, labelOf(label));
}

function dir(value?: unknown, options?: { depth?: unknown }): void {
  const depth = typeof options?.depth === 'number' ? p.min(p.max(options.depth, 0), 20) : 4;
  writeText('info', inspect(value, depth, maxMessage()), indent);
}

function table(data?: unknown): void {
  const text = typeof data === 'object' && data !== null ? consoleTable(data) : undefined;
  if (text === undefined) write('info', [data], indent);
  else writeText('info', text, indent);
}

/** The global `console`. Every line of it goes through the host's `log`. */
export function makeConsole(): object {
  return p.nameMembers({
    log: out('info'),
    info: out('info'),
    warn: out('warn'),
    error: out('error'),
    debug: out('debug'),
    assert,
    clear: () => undefined,
    count,
    countReset: (label?: unknown) => void p.mapDelete(counts, labelOf(label)),
    dir,
    dirxml: out('info'),
    group,
    groupCollapsed: (...args: unknown[]) => group(...args),
    groupEnd,
    table,
    time: (label?: unknown) => remember(starts, labelOf(label), now()),
    timeEnd,
    timeLog,
    trace,
  });
}
