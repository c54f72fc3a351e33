import { mixed } from './rolling-hash.ts';

/** What of a text is worth following by itself. */
export interface PartVisitor {
  /** A word with a digit or an @ in it: an address, a number, a key. */
  readonly code: (word: string) => void;
  /** Two words that stand beside each other, as a hash that no window of the text has. */
  readonly pair: (one: number, two: number) => void;
}

const DIGITS = /\d{4,}/g;
const LONG_DIGITS = /\d{4}/;
const SEPARATOR = /[=,:/]/;
const CODE = /[\d@]/;
const PAIR_SALT = 0x9e3779b9;

/** Goes through a text once. Words are runs of letters and digits of any script; what is between them does not count. */
export function visitParts(text: string, minLength: number, visitor: PartVisitor): void {
  visitPairs(text, visitor.pair);
  visitCodes(text, minLength, visitor.code);
}

/**
 * Visits the hashes of each two words that follow each other.
 * @returns the number of words.
 */
export function visitPairs(text: string, visit: (one: number, two: number) => void): number {
  let words = 0;
  let before = 0;
  let hash = 0;
  let isWord = false;
  for (let at = 0; at <= text.length; at++) {
    const unit = at < text.length ? text.charCodeAt(at) : 32;
    if (isWordUnit(unit)) {
      hash = (Math.imul(isWord ? hash : PAIR_SALT, 0x01000193) ^ unit) | 0;
      isWord = true;
    } else if (isWord) {
      if (words++ > 0) visit(mixed(Math.imul(before, 31) ^ hash), mixed(Math.imul(hash, 17) + before));
      before = hash;
      isWord = false;
    }
  }
  return words;
}

function isWordUnit(unit: number): boolean {
  return (unit >= 97 && unit <= 122) || (unit >= 48 && unit <= 57) || (unit >= 65 && unit <= 90) || unit >= 0xc0;
}

/** Letters and digits, and what holds addresses, numbers and keys together. */
function isCodeUnit(unit: number): boolean {
  return isWordUnit(unit) || unit === 64 || (unit >= 43 && unit <= 47) || unit === 95 || unit === 58 || unit === 61;
}

function visitCodes(text: string, minLength: number, visit: (word: string) => void): void {
  let from = -1;
  let isCode = false;
  let to = -1;
  for (let at = 0; at <= text.length; at++) {
    const unit = at < text.length ? text.charCodeAt(at) : 32;
    const isLetter = isWordUnit(unit);
    // Dots and the like at the ends are those of sentences, and no part of an address.
    if (isLetter && from < 0) from = at;
    if (isLetter) to = at + 1;
    if (isCodeUnit(unit)) {
      isCode ||= unit === 64 || (unit >= 48 && unit <= 57);
    } else {
      if (isCode && to - from >= minLength) visitCode(text.slice(from, to), minLength, visit);
      from = -1;
      to = -1;
      isCode = false;
    }
  }
}

function visitCode(word: string, minLength: number, visit: (word: string) => void): void {
  visit(word);
  if (SEPARATOR.test(word)) {
    for (const part of word.split(SEPARATOR)) if (part.length >= minLength && CODE.test(part)) visit(part);
  }
  if (!LONG_DIGITS.test(word)) return;
  for (const [digits] of word.matchAll(DIGITS)) {
    // As a number it has no zeros in front.
    for (const form of [digits, digits.replace(/^0+/, '')]) if (form.length >= minLength && form !== word) visit(form);
  }
}
