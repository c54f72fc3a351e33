import * as p from '../primordials.ts';

const SYNTAX = '^$\\.*+?()[]{}|/';
const PUNCTUATORS = ',-=<>#&!%:;@~\'`"';
const CONTROLS = p.plain<Record<string, string>>({ '\t': 't', '\n': 'n', '\v': 'v', '\f': 'f', '\r': 'r' });
const whiteSpace = /^\s$/;
const wordBegin = /^[0-9A-Za-z]$/;

/** `RegExp.escape` of the standard. QuickJS's own also escapes letters and emoji that need it not. */
export function escapeRegExp(text: unknown): string {
  if (typeof text !== 'string') throw new p.NativeTypeError('RegExp.escape: the text is not a string');
  let escaped = '';
  for (let i = 0; i < text.length; i++) {
    const code = p.charCodeAt(text, i);
    const pair = isPair(code, i + 1 < text.length ? p.charCodeAt(text, i + 1) : 0);
    const character = p.slice(text, i, pair ? i + 2 : i + 1);
    escaped += pair ? character : escapeUnit(character, code, i === 0);
    if (pair) i++;
  }
  return escaped;
}

function isPair(high: number, low: number): boolean {
  return high >= 0xd800 && high < 0xdc00 && low >= 0xdc00 && low < 0xe000;
}

function escapeUnit(character: string, code: number, isFirst: boolean): string {
  if (isFirst && p.regExpExec(wordBegin, character) !== null) return hex(code);
  if (p.indexOf(SYNTAX, character) !== -1) return `\\${character}`;
  if (p.hasOwn(CONTROLS, character)) return `\\${CONTROLS[character]}`;
  const needsCode = p.indexOf(PUNCTUATORS, character) !== -1 || p.regExpExec(whiteSpace, character) !== null;
  return needsCode || (code >= 0xd800 && code < 0xe000) ? hex(code) : character;
}

function hex(code: number): string {
  const digits = p.numberToString(code, 16);
  return code < 0x100 ? `\\x${p.padStart(digits, 2, '0')}` : `\\u${p.padStart(digits, 4, '0')}`;
}
