import * as p from './primordials.ts';
import { HEADER_LINES } from './stack.ts';

let program: object | null = null;

/** The function whose frames the next run's errors show. */
export function rememberSource(compiled: object): void {
  program = compiled;
}

const firstFrame = /program\.js:(\d+):\d+/;

/** The line of source that the first of some frames points to, "" when there is none. Asks the engine, which keeps the text. */
export function lineOf(frames: string): string {
  const row = p.regExpExec(firstFrame, frames)?.[1];
  if (row === undefined || program === null) return '';
  const text = p.functionToString(program);
  let from = 0;
  for (let left = +row + HEADER_LINES - 1; left > 0; left--) {
    const next = p.indexOf(text, '\n', from);
    if (next === -1) return '';
    from = next + 1;
  }
  const to = p.indexOf(text, '\n', from);
  return p.slice(text, from, to === -1 ? text.length : to);
}
