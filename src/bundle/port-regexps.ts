import { parse } from '@babel/parser';
import rewritePattern from 'regexpu-core';
import type { Edit, RegExpPort } from './scan-result.ts';
import { asNode, walk } from './syntax-tree.ts';

/**
 * Finds the regular expressions of a script that an engine without the tables of Unicode cannot load, and what to put in their place:
 * `\p{...}` as the characters that it stands for, and the sets of the flag `v` as plain ones. What no pattern is stays as it is: the
 * engine says what is wrong with it. Never throws.
 */
export function portRegExps(script: string): RegExpPort {
  const edits: Edit[] = [];
  try {
    const program = asNode(parse(script, { sourceType: 'unambiguous', allowReturnOutsideFunction: true, attachComment: false }).program);
    if (program === undefined) return { kind: 'port', edits };
    walk(program, ({ type, start, end, pattern, flags }) => {
      if (type !== 'RegExpLiteral' || typeof pattern !== 'string' || typeof flags !== 'string') return;
      const text = needsPort(pattern, flags) ? ported(pattern, flags) : undefined;
      if (text !== undefined) edits.push({ start, end, text });
    });
  } catch {
    // A script that does not parse is for the engine to judge.
  }
  return { kind: 'port', edits: edits.sort((a, b) => a.start - b.start) };
}

function needsPort(pattern: string, flags: string): boolean {
  return flags.includes('v') || (flags.includes('u') && /\\p\{/iu.test(pattern));
}

function ported(pattern: string, flags: string): string | undefined {
  let newFlags = flags;
  try {
    const source = rewritePattern(pattern, flags, {
      unicodePropertyEscapes: 'transform',
      unicodeSetsFlag: 'transform',
      onNewFlags: (changed) => (newFlags = changed),
    });
    return `/${literalText(source)}/${newFlags}`;
  } catch {
    return undefined;
  }
}

/** A pattern as it can stand between slashes on one line. */
function literalText(source: string): string {
  return source.replaceAll(/\\.|[\n\r\u2028\u2029/]/gsu, (part) => {
    if (part.startsWith('\\')) return part;
    return part === '/' ? String.raw`\/` : `\\u${part.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
