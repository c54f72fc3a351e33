import type { SourceLocation } from '../errors.ts';
import { harmlessText } from './harmless-text.ts';

/** Longest source line that is shown whole, in characters; a longer one is cut around the column. */
const WINDOW = 160;
const ELLIPSIS = '…';

/** A location whose source line is bounded; line and column stay those of the agent's code. */
export function boundLocation(location: SourceLocation): SourceLocation {
  const { line, column, module } = location;
  return { line, column, source: window(location).text, ...(module !== undefined && { module }) };
}

/** The source line under its line number, and a caret under the column. */
export function drawLocation(location: SourceLocation): string {
  const { text, caret } = window(location);
  const gutter = `  ${location.line} | `;
  const blank = `${' '.repeat(gutter.length - 2)}| `;
  return `${gutter}${text.replaceAll('\t', ' ')}\n${blank}${' '.repeat(caret)}^`;
}

function window({ source, column }: SourceLocation): { text: string; caret: number } {
  const at = Math.min(Math.max(column - 1, 0), source.length);
  const start = source.length <= WINDOW ? 0 : Math.max(0, Math.min(at - WINDOW / 2, source.length - WINDOW));
  const end = Math.min(source.length, start + WINDOW);
  const before = (start > 0 ? ELLIPSIS : '') + harmlessText(source.slice(start, at));
  const after = harmlessText(source.slice(at, end)) + (end < source.length ? ELLIPSIS : '');
  return { text: before + after, caret: before.length };
}
