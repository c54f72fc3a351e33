import { after, classTable } from './break-classes.ts';
import { WORD, WORD_RUNS } from './break-data.ts';
import { lazily } from './lazily.ts';

/** The breaks between words of UAX #29, by its rules alone: no dictionaries. */

const classAt = lazily(() => classTable(WORD_RUNS));
const { newline, extend, joiner, space, hebrew, number, katakana, ideograph, hangul, connector, single, double } = WORD;
const { mid, midLetter, midNumber, regional } = WORD;

const isIgnored = (of: number): boolean => of === extend || of === joiner;
const isLetter = (of: number): boolean => of === WORD.letter || of === WORD.pictureLetter || of === hebrew;
const isPicture = (of: number): boolean => of === WORD.picture || of === WORD.pictureLetter;
const isInWord = (of: number): boolean => of === mid || of === midLetter || of === single;
const isInNumber = (of: number): boolean => of === mid || of === midNumber || of === single;
const isWord = (of: number): boolean => isLetter(of) || of === number || of === katakana;

/** Where the word ends that begins at an index, which is below the text's length. */
export function wordEnd(text: string, from: number): number {
  const at = classAt();
  let base = at(text, from);
  let end = after(text, from);
  if (base === newline) return text.startsWith('\r\n', from) ? from + 2 : end;
  /** The class of the character before `end`, of the last that is not ignored, and of the one before that. */
  let [last, before] = [base, -1];
  let regionals = base === regional ? 1 : 0;
  while (end < text.length) {
    const next = at(text, end);
    // Most of all characters, and they need none of the rest.
    if (next === WORD.letter && last === WORD.letter) {
      before = next;
      end = after(text, end);
      continue;
    }
    if (isIgnored(next)) {
      last = next;
      end = after(text, end);
      continue;
    }
    const isJoined =
      (last === joiner && isPicture(next)) ||
      (last === space && next === space) ||
      (base === regional && next === regional && regionals % 2 === 1) ||
      joinsPair(base, next) ||
      joinsThree(before, base, next) ||
      (mayJoin(base, next) && joinsThree(base, next, classAfter(text, end)));
    if (!isJoined) break;
    regionals = next === regional ? regionals + 1 : 0;
    [before, base, last] = [base, next, next];
    end = after(text, end);
  }
  return end;
}

/** WB5, WB7a, WB8 to WB10, WB13 to WB13b. */
function joinsPair(left: number, right: number): boolean {
  if (isLetter(left) || left === number) {
    return isLetter(right) || right === number || right === connector || (left === hebrew && right === single);
  }
  if (left === hangul) return right === hangul;
  if (left === katakana) return right === katakana || right === connector;
  return left === connector && (isWord(right) || right === connector);
}

/** WB6, WB7 to WB7c, WB11, WB12. */
function joinsThree(left: number, middle: number, right: number): boolean {
  if (isLetter(left) && isLetter(right)) return isInWord(middle) || (middle === double && left === hebrew && right === hebrew);
  return left === number && right === number && isInNumber(middle);
}

function mayJoin(left: number, middle: number): boolean {
  return (isLetter(left) && (isInWord(middle) || middle === double)) || (left === number && isInNumber(middle));
}

/** The class of the next character that is not ignored; -1 at the end. */
function classAfter(text: string, from: number): number {
  const at = classAt();
  let next = after(text, from);
  while (next < text.length && isIgnored(at(text, next))) next = after(text, next);
  return next < text.length ? at(text, next) : -1;
}

/**
 * Whether a segment is a word or a number, and not what stands between them. ICU goes by the rule that joined the last character: `__` is
 * a word and `_` is none, and neither is what ends with a picture, or with a mark on a connector or an apostrophe.
 */
export function isWordLike(segment: string): boolean {
  const at = classAt();
  if (at(segment, segment.length - 1) === WORD.letter) return true;
  let [isFound, connectors, base, last] = [false, 0, -1, -1];
  for (let i = 0; i < segment.length; i = after(segment, i)) {
    last = at(segment, i);
    if (!isIgnored(last)) base = last;
    if (last === connector) connectors++;
    if (isWord(last) || last === ideograph || last === hangul || connectors > 1) isFound = true;
  }
  return isFound && base !== WORD.picture && !(last !== base && (base === connector || base === single));
}
