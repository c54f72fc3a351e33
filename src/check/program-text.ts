/** In front of every program: makes it a module, and takes away the place where `@ts-nocheck` and `/// <reference>` work. */
const PREFIX = 'export {};';
/** More than this many silenced lines silence nothing. */
const MAX_SILENCED = 3;
/** A longer line is not silenced: it could be the whole program. */
const MAX_SILENCED_LINE = 200;

/** The module that the checker sees. */
export interface CheckedText {
  readonly text: string;
  /** The agent's offset for an offset in `text`. */
  sourceOf(offset: number): number;
}

/**
 * The agent's text as a module. A `return` at the top level becomes a `throw` of the same length: TypeScript leaves a return
 * outside of functions unchecked, and treats the expression and the code behind it of both alike.
 */
export function composeChecked(source: string, returns: readonly number[]): CheckedText {
  const inserted: number[] = [];
  let text = PREFIX;
  let position = 0;
  const calm = limitSilencing(source);
  for (const start of returns) {
    const end = start + 'return'.length;
    text += `${calm.slice(position, start)}throw `;
    if (isBare(calm, end)) {
      text += '0';
      inserted.push(text.length);
    }
    position = end;
  }
  text += calm.slice(position);
  return { text, sourceOf: (offset) => offset - PREFIX.length - countUpTo(inserted, offset) };
}

/** How many of the rising numbers are at most `limit`. */
function countUpTo(rising: readonly number[], limit: number): number {
  let [low, high] = [0, rising.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rising[middle] ?? 0) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Nothing follows on the line that could be returned. */
function isBare(text: string, end: number): boolean {
  const rest = /(?:[^\S\n\r\u2028\u2029]|\/\*[^\n\r]*?\*\/)*/uy;
  rest.lastIndex = end;
  const next = rest.test(text) ? rest.lastIndex : end;
  return next >= text.length || /^(?:[;}\n\r\u2028\u2029]|\/\/)/u.test(text.slice(next, next + 2));
}

/** `@ts-ignore` and `@ts-expect-error` silence the few lines that they are meant for, and no more; nothing moves. */
function limitSilencing(source: string): string {
  let count = 0;
  return source.replaceAll(/@ts-(?=ignore|expect-error)/gu, (match, offset: number) => {
    count += 1;
    return count <= MAX_SILENCED && nextLineLength(source, offset) <= MAX_SILENCED_LINE ? match : '@ts_';
  });
}

function nextLineLength(source: string, offset: number): number {
  const next = /\n(?:[^\S\n]*(?:\/\/[^\n]*)?\n)*([^\n]*)/uy;
  const lineEnd = source.indexOf('\n', offset);
  if (lineEnd < 0) return 0;
  next.lastIndex = lineEnd;
  return next.exec(source)?.[1]?.length ?? 0;
}
