import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Bundle } from '../bundle/bundle.ts';
import type { Diagnostic } from '../errors.ts';
import type { LogEntry, RunOutcome } from '../execute/run.ts';
import { clipText } from './harmless-text.ts';
import type { ChangeText } from './json-strings.ts';
import { keepWhole, type Keep } from './keep.ts';
import { withAgentPositions } from './log-positions.ts';
import type { KeptItem, Shortened } from './output-schema.ts';
import { textPages } from './text-lines.ts';

/** The log as an answer has it. */
export interface PresentedLogs {
  readonly logs: readonly LogEntry[];
  readonly kept?: KeptItem;
  readonly warning?: Diagnostic;
}

export interface LogOptions {
  readonly maxLogBytes: number;
  /** Whose positions the stacks in messages are told in. */
  readonly bundle: Bundle;
  readonly hide: ChangeText | undefined;
  readonly keep: Keep | undefined;
}

const NEWLINE = 10;
/** About what each line costs in an answer beside its message: a flood of empty ones is bounded too. */
const LINE_BYTES = 32;
const SLICE_BYTES = 256 * 1024;

/** The whole log where it fits, else its first and its last lines with the whole kept, one line of JSON for each entry. */
export async function presentLogs({ logs, large }: Pick<RunOutcome, 'logs' | 'large'>, options: LogOptions): Promise<PresentedLogs> {
  const { maxLogBytes, keep } = options;
  const change = changeOf(options);
  if (!large?.logs && logs.length <= linesIn(maxLogBytes) && bytesOf(logs) <= maxLogBytes) return { logs: changed(logs, change) };
  const bytes = large?.logs ? await changeLines(large.logs, options) : linesOf(changed(logs, change));
  const pages = await textPages(bytes, 'application/x-ndjson', 'lines');
  const { total } = pages;
  const { head, tail } = firstAndLast(bytes, maxLogBytes);
  const shown = head.length + tail.length;
  // What is over 64 KiB here may still be within the answer's limit.
  if (shown >= total && [...head, ...tail].every(({ cut }) => cut === undefined)) {
    return { logs: [...head, ...tail].map(({ entry }) => entry) };
  }
  const shortened = shortenedOf({ head, tail }, total);
  const outcome = await keepWhole(keep, 'logs', { bytes, pages, shortened });
  const gap: LogEntry[] = shown < total ? [{ level: 'debug', message: `… ${total - shown} lines of the log are left out here …` }] : [];
  const entries = [...head.map(({ entry }) => entry), ...gap, ...tail.map(({ entry }) => entry)];
  return { logs: entries, ...('item' in outcome ? { kept: outcome.item } : { warning: outcome.warning }) };
}

/** How many lines are left out; where none is, which ones are cut. */
function shortenedOf({ head, tail }: { head: readonly ShownEntry[]; tail: readonly ShownEntry[] }, total: number): Shortened[] {
  const shown = head.length + tail.length;
  if (shown < total) return [{ path: '$.logs', shown, of: total, unit: 'lines' }];
  return [...head, ...tail].flatMap(({ cut }, index): Shortened[] =>
    cut === undefined ? [] : [{ path: `$.logs[${index}].message`, ...cut, unit: 'characters' }],
  );
}

function linesIn(bytes: number): number {
  return Math.floor(bytes / LINE_BYTES);
}

function changeOf({ bundle, hide }: LogOptions): ChangeText {
  return hide ? (message) => hide(withAgentPositions(message, bundle)) : (message) => withAgentPositions(message, bundle);
}

function bytesOf(logs: readonly LogEntry[]): number {
  let bytes = 0;
  for (const { message } of logs) bytes += Buffer.byteLength(message);
  return bytes;
}

function changed(logs: readonly LogEntry[], change: ChangeText): LogEntry[] {
  return logs.map(({ level, message }) => ({ level, message: change(message) }));
}

function linesOf(logs: readonly LogEntry[]): Buffer {
  return Buffer.from(logs.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
}

/** All lines with their messages changed. Works in slices. */
async function changeLines(bytes: Uint8Array, options: LogOptions): Promise<Uint8Array> {
  if (!options.hide && !Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes('program.js:')) return bytes;
  const change = changeOf(options);
  const parts: Buffer[] = [];
  let rested = 0;
  for (let start = 0; start < bytes.length;) {
    const end = lineEnd(bytes, start);
    parts.push(linesOf(changed([entryAt(bytes, start, end)], change)));
    start = end;
    if (end - rested > SLICE_BYTES) {
      rested = end;
      await nextTurn();
    }
  }
  return Buffer.concat(parts);
}

interface ShownEntry {
  readonly entry: LogEntry;
  /** Characters that are shown of a message that is not shown whole. */
  readonly cut?: { readonly shown: number; readonly of: number };
}

/** As many lines from both ends as there is room for; each end has a half of it. */
function firstAndLast(bytes: Uint8Array, maxBytes: number): { head: ShownEntry[]; tail: ShownEntry[] } {
  const head: ShownEntry[] = [];
  const lines = linesIn(maxBytes);
  let left = Math.ceil(maxBytes / 2);
  let start = 0;
  while (start < bytes.length && left > 0 && head.length < Math.ceil(lines / 2)) {
    const end = lineEnd(bytes, start);
    const shown = clipped(entryAt(bytes, start, end), left);
    left -= Buffer.byteLength(shown.entry.message) + 1;
    head.push(shown);
    start = end;
  }
  left = maxBytes - Math.ceil(maxBytes / 2);
  const tail: ShownEntry[] = [];
  for (let end = bytes.length; end > start && left > 0 && head.length + tail.length < lines;) {
    const from = (end < 2 ? -1 : bytes.lastIndexOf(NEWLINE, end - 2)) + 1;
    const shown = clipped(entryAt(bytes, from, end), left);
    left -= Buffer.byteLength(shown.entry.message) + 1;
    tail.unshift(shown);
    end = from;
  }
  return { head, tail };
}

function clipped({ level, message }: LogEntry, maxBytes: number): ShownEntry {
  if (message.length * 3 <= maxBytes || Buffer.byteLength(message) <= maxBytes) return { entry: { level, message } };
  const most = Math.floor(maxBytes / 3);
  return { entry: { level, message: clipText(message, most) }, cut: { shown: most, of: message.length } };
}

function entryAt(bytes: Uint8Array, start: number, end: number): LogEntry {
  const { level, message } = JSON.parse(
    Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8'),
  ) as Partial<LogEntry>;
  return { level: level ?? 'info', message: String(message) };
}

function lineEnd(bytes: Uint8Array, start: number): number {
  const found = bytes.indexOf(NEWLINE, start);
  return found === -1 ? bytes.length : found + 1;
}
