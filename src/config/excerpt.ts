import type { SourceLocation } from '../errors.ts';
import { maskLine, maskUrls } from './secrets.ts';

/** A line that is longer is shown in part, around the position. */
const MAX_WIDTH = 120;

/** The line of `offset`: its number and where it begins and ends in the text. */
export function lineAt(text: string, offset: number): { line: number; from: number; to: number } {
  const before = text.slice(0, offset);
  const from = before.lastIndexOf('\n') + 1;
  const end = text.indexOf('\n', offset);
  return { line: before.split('\n').length, from, to: end === -1 ? text.length : end };
}

/** Line and column of an offset with the line's text, which is starred out when `secret`. */
export function locate(text: string, offset: number, secret: boolean): SourceLocation {
  const { line, from, to } = lineAt(text, offset);
  const raw = text.slice(from, to);
  const source = secret ? maskLine(raw) : maskUrls(raw);
  // oxlint-disable-next-line no-control-regex -- a control character would reach the operator's terminal
  return { line, column: offset - from + 1, source: source.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ').trimEnd() };
}

/** The source line with a caret below the position, in two indented lines. */
export function caret({ column, source }: SourceLocation): string {
  const start = source.length <= MAX_WIDTH ? 0 : Math.max(0, column - 1 - MAX_WIDTH / 2);
  const lead = start === 0 ? '' : '...';
  const shown = source.slice(start, start + MAX_WIDTH);
  const tail = start + MAX_WIDTH < source.length ? '...' : '';
  return `  ${lead}${shown}${tail}\n  ${' '.repeat(lead.length + column - 1 - start)}^`;
}
