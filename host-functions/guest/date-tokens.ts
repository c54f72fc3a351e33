import * as p from './primordials.ts';

/** What a word in a date means, with its number. */
export type WordKind = 'month' | 'half-day' | 'zone' | 'T' | 'other';

export interface Token {
  readonly kind: 'number' | 'symbol' | 'word' | 'space' | 'other' | 'end';
  /** Of a number, or of what a word means: a month, hours to add, hours ahead of UTC. */
  readonly value: number;
  readonly length: number;
  /** Of a symbol: one of `:-+.)(`. */
  readonly text: string;
  readonly word: WordKind;
}

const MOST_DIGITS = 9;
const PREFIX = 3;
const MONTHS = 'janfebmaraprmayjunjulaugsepoctnovdec';
/** Zones by their hours ahead of UTC. */
const ZONES = p.plain<Record<string, number>>({
  ut: 0,
  utc: 0,
  z: 0,
  gmt: 0,
  cdt: -5,
  cst: -6,
  edt: -4,
  est: -5,
  mdt: -6,
  mst: -7,
  pdt: -7,
  pst: -8,
});
const END = token('end', 0, 0);
const whiteSpace = /^\s$/;

function token(kind: Token['kind'], value: number, length: number, text = '', word: WordKind = 'other'): Token {
  return p.plain({ kind, value, length, text, word });
}

/** The parts of a date's text, one after the other. */
export class DateScanner {
  readonly #text: string;
  #at = 0;
  #peeked: Token;

  constructor(text: string) {
    this.#text = text;
    this.#peeked = this.#scan();
  }

  peek(): Token {
    return this.#peeked;
  }

  next(): Token {
    const found = this.#peeked;
    this.#peeked = this.#scan();
    return found;
  }

  /** Goes past a symbol, if that is next. */
  skip(symbol: string): boolean {
    if (this.#peeked.kind !== 'symbol' || this.#peeked.text !== symbol) return false;
    this.next();
    return true;
  }

  #scan(): Token {
    if (this.#at >= this.#text.length) return END;
    const code = p.charCodeAt(this.#text, this.#at);
    if (isDigit(code)) return this.#number();
    const character = p.slice(this.#text, this.#at, this.#at + 1);
    const isSpace = p.regExpExec(whiteSpace, character) !== null;
    if (code >= 0x41 && !isSpace) return this.#word();
    if (character === '(') return this.#parentheses();
    this.#at++;
    if (isSpace) return token('space', 0, 1);
    return p.indexOf(':-+.)', character) === -1 ? token('other', 0, 1) : token('symbol', 0, 1, character);
  }

  #number(): Token {
    const start = this.#at;
    let value = 0;
    let digits = 0;
    for (; this.#at < this.#text.length; this.#at++) {
      const code = p.charCodeAt(this.#text, this.#at);
      if (!isDigit(code)) break;
      if (digits === 0 && code === 0x30) continue;
      if (digits++ < MOST_DIGITS) value = value * 10 + code - 0x30;
    }
    return token('number', value, this.#at - start);
  }

  #word(): Token {
    const start = this.#at;
    while (this.#at < this.#text.length) {
      const character = p.slice(this.#text, this.#at, this.#at + 1);
      if (p.charCodeAt(character, 0) < 0x41 || p.regExpExec(whiteSpace, character) !== null) break;
      this.#at++;
    }
    const length = this.#at - start;
    const prefix = p.toLowerCase(p.slice(this.#text, start, start + p.min(length, PREFIX)));
    const month = length < PREFIX ? -1 : p.indexOf(MONTHS, prefix);
    if (month !== -1 && month % PREFIX === 0) return token('word', month / PREFIX + 1, length, '', 'month');
    if (length > PREFIX) return token('word', 0, length);
    if (prefix === 'am' || prefix === 'pm') return token('word', prefix === 'am' ? 0 : 12, length, '', 'half-day');
    if (prefix === 't') return token('word', 0, length, '', 'T');
    return p.hasOwn(ZONES, prefix) ? token('word', ZONES[prefix], length, '', 'zone') : token('word', 0, length);
  }

  /** What is in parentheses is a comment. */
  #parentheses(): Token {
    const start = this.#at;
    let depth = 0;
    do {
      const character = p.slice(this.#text, this.#at, this.#at + 1);
      if (character === '(') depth++;
      else if (character === ')') depth--;
      this.#at++;
    } while (depth > 0 && this.#at < this.#text.length);
    return token('other', 0, this.#at - start);
  }
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
