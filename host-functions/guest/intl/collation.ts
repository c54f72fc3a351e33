import { EXPANSIONS, FIRST_SYMBOL, IGNORED, MARKS, ORDER } from './collation-data.ts';
import { lazily } from './lazily.ts';

/** The root collation of CLDR: what each character weighs at each level of a comparison. */

/** The weights of a text; at each level only those that are not nothing. */
export interface Weights {
  readonly primary: number[];
  readonly secondary: number[];
  readonly tertiary: number[];
  /** For each weight of the third level: whether it is a capital. */
  readonly capital: boolean[];
  /** The same for each weight of the first level. */
  readonly capitalLetter: boolean[];
}

export interface WeighOptions {
  /** Digits count as the number that they write. */
  readonly numeric: boolean;
  readonly ignorePunctuation: boolean;
}

/** Above all marks: what makes two letters in one differ from the two. */
const LIGATURE = 1000;
/** What a character that is written in another way weighs more than that, at the third level: less than a capital does. */
const OTHER_FORM = 0.5;
/** Everything that is not in the table comes after it, by its code point. */
const BEYOND = 100_000;
const NUMBER = 1_000_000;
/** Emoji and other pictures, which come before digits as all symbols do. */
const PICTURES = { first: 0x1f000, last: 0x1fbff };

interface Table {
  /** The characters, sorted by code unit; the weights stand at the same places. */
  readonly codes: Uint16Array;
  readonly primary: Uint16Array;
  readonly secondary: Uint8Array;
  readonly tertiary: Uint8Array;
}

/** Made when the engine is built: typed arrays are small, and nothing is left to do in a run. */
const table = makeTable();
const firstSymbol = primaryOf(FIRST_SYMBOL);
const digits = Array.from('0123456789', primaryOf);
const zero = digits[0];

const marks = lazily(() => {
  const known = new Map<string, number>();
  let weight = 0;
  for (let i = 0; i < MARKS.length; i++) {
    if (MARKS[i] === '\b') i++;
    else weight++;
    known.set(MARKS[i], weight);
  }
  return known;
});
const ignored = lazily(() => new Set(IGNORED));
const expansions = lazily(() => new Map(EXPANSIONS.split('\n').map((line) => [line[0], line.slice(1)])));
/** Letters with a mark that are letters of their own. */
const contractions = lazily(() => {
  const known = new Map<string, string>();
  for (const code of table.codes) {
    const char = String.fromCharCode(code);
    const parts = char.normalize('NFD');
    if (parts !== char) known.set(parts, char);
  }
  return known;
});

function makeTable(): Table {
  const rows: [code: number, primary: number, secondary: number, tertiary: number][] = [];
  let [primary, secondary, tertiary] = [0, 0, 0];
  for (const [separator, char] of pairs(ORDER)) {
    if (separator === '\n') [primary, secondary, tertiary] = [primary + 1, 0, 0];
    else if (separator === '\t') [secondary, tertiary] = [secondary + 1, 0];
    else if (separator === '') tertiary++;
    rows.push([char.charCodeAt(0), primary, secondary, tertiary]);
  }
  rows.sort((a, b) => a[0] - b[0]);
  return {
    codes: Uint16Array.from(rows, (row) => row[0]),
    primary: Uint16Array.from(rows, (row) => row[1]),
    secondary: Uint8Array.from(rows, (row) => row[2]),
    tertiary: Uint8Array.from(rows, (row) => row[3]),
  };
}

/** Each character with what separates it from the one before. A tab and a line break are characters too, the first ones. */
function pairs(order: string): [string, string][] {
  const found: [string, string][] = [['\n', order[0]]];
  for (let i = 1; i < order.length; i++) {
    const isSeparator = order[i] === '\n' || order[i] === '\t' || order[i] === '\b';
    found.push(isSeparator ? [order[i], order[i + 1]] : ['', order[i]]);
    if (isSeparator) i++;
  }
  return found;
}

function indexOf(code: number): number {
  let low = 0;
  let high = table.codes.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (table.codes[middle] === code) return middle;
    if (table.codes[middle] < code) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

function primaryOf(char: string): number {
  return table.primary[indexOf(char.charCodeAt(0))];
}

/** What a text weighs. */
export function weigh(text: string, options: WeighOptions): Weights {
  const weights: Weights = { primary: [], secondary: [], tertiary: [], capital: [], capitalLetter: [] };
  const parts = text.normalize('NFD');
  let isSkipping = false;
  for (let i = 0; i < parts.length;) {
    const pair = parts.slice(i, i + 2);
    const composed = pair.length === 2 && pair.charCodeAt(1) >= 0x300 ? contractions().get(pair) : undefined;
    const size = composed !== undefined ? 2 : parts.codePointAt(i) === parts.charCodeAt(i) ? 1 : 2;
    const char = composed ?? parts.slice(i, i + size);
    i += size;
    const mark = marks().get(char);
    if (mark !== undefined) {
      if (!isSkipping) add(weights, 0, mark + 1, 0, false);
      continue;
    }
    const index = char.length === 1 ? indexOf(char.charCodeAt(0)) : -1;
    isSkipping = options.ignorePunctuation && index >= 0 && table.primary[index] < firstSymbol;
    if (isSkipping) continue;
    if (options.numeric && index >= 0 && digits.includes(table.primary[index])) i = addNumber(weights, parts, i - 1);
    else addChar(weights, char, index, options.ignorePunctuation);
  }
  return weights;
}

function add(weights: Weights, primary: number, secondary: number, tertiary: number, isCapital: boolean): void {
  if (primary !== 0) {
    weights.primary.push(primary);
    weights.capitalLetter.push(isCapital);
  }
  weights.secondary.push(secondary);
  weights.tertiary.push(tertiary);
  weights.capital.push(isCapital);
}

function addChar(weights: Weights, char: string, index: number, ignorePunctuation: boolean): void {
  const isCapital = char !== char.toLowerCase();
  if (index >= 0) {
    // The second level begins above nothing: a text that goes on weighs more than one that ends.
    return add(
      weights,
      table.primary[index],
      table.secondary[index] === 0 ? 1 : LIGATURE / 2 + table.secondary[index],
      table.tertiary[index],
      isCapital,
    );
  }
  const expansion = expansions().get(char);
  if (expansion !== undefined) return addExpansion(weights, expansion, ignorePunctuation);
  if (ignored().has(char)) return;
  const code = char.codePointAt(0) ?? 0;
  const isSymbol = code >= PICTURES.first && code <= PICTURES.last;
  add(weights, isSymbol ? zero - 1 + code / 0x20_0000 : BEYOND + code, 1, 0, isCapital);
}

function addExpansion(weights: Weights, expansion: string, ignorePunctuation: boolean): void {
  const level = expansion[0];
  const from = weights.tertiary.length;
  for (const part of expansion.slice(1).normalize('NFD')) {
    const mark = marks().get(part);
    const index = indexOf(part.charCodeAt(0));
    if (mark !== undefined) add(weights, 0, mark + 1, 0, false);
    else if (!ignorePunctuation || index < 0 || table.primary[index] >= firstSymbol) addChar(weights, part, index, ignorePunctuation);
    if (level === '2' && weights.tertiary.length === from + 1) add(weights, 0, LIGATURE, 0, false);
  }
  if (level !== '1' && from < weights.tertiary.length) weights.tertiary[from] += OTHER_FORM;
}

/** A run of digits: first how many there are, without zeros in front, then which. Gives where it ends. */
function addNumber(weights: Weights, text: string, start: number): number {
  const values: number[] = [];
  let i = start;
  for (; i < text.length; i++) {
    const index = indexOf(text.charCodeAt(i));
    const value = index < 0 ? -1 : digits.indexOf(table.primary[index]);
    if (value < 0) break;
    if (value > 0 || values.length > 0) values.push(value);
  }
  add(weights, zero, 1, 0, false);
  add(weights, NUMBER + values.length, 1, 0, false);
  for (const value of values) add(weights, 1 + value, 1, 0, false);
  return i;
}

/** The weights of ASCII for a comparison without any options, which needs no list: 0 is nothing. */
export const asciiPrimary: Uint16Array = Uint16Array.from({ length: 128 }, (_, code) => table.primary[indexOf(code)] ?? 0);
export const asciiTertiary: Uint8Array = Uint8Array.from({ length: 128 }, (_, code) => table.tertiary[indexOf(code)] ?? 0);
