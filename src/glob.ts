import picomatch from 'picomatch';
import { RE2JS } from 're2js';

const OPTIONS = { dot: true, nonegate: true, windows: false };
/** Where a pattern may go back to try another length. */
const REPEAT = /[*+]/g;

/** A glob on names, compiled once. Names are flat text: `*` also matches `/` and a leading `.`, and `!` negates nothing. */
export function compileGlob(glob: string): (text: string) => boolean {
  const matches = compilePattern(picomatch.makeRe(flatten(glob), OPTIONS));
  return (text) => text === glob || matches(flatten(text));
}

/** picomatch matches paths: a private character in the place of `/`, and a letter in front so that `.` and `..` are not special. */
function flatten(text: string): string {
  return `x${text.replaceAll('/', '\uE000')}`;
}

/**
 * Names come from strangers: with several stars, a name made for it would take `RegExp` seconds. In linear time, but for the few forms
 * (`!(...)`) that only `RegExp` knows.
 */
function compilePattern(pattern: RegExp): (text: string) => boolean {
  const repeats = pattern.source.match(REPEAT)?.length ?? 0;
  if (repeats < 2) return (text) => pattern.test(text);
  try {
    const linear = RE2JS.compile(RE2JS.translateRegExp(pattern), RE2JS.DOTALL);
    return (text) => linear.matches(text);
  } catch {
    return (text) => pattern.test(text);
  }
}
