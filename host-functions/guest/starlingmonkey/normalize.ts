import { lazily } from '../intl/lazily.ts';
import { CANONICAL, COMPATIBLE, MARKS, NOT_COMPOSED } from './normalization-data.ts';

/**
 * `String.prototype.normalize` for SpiderMonkey without ICU: annex 15 of the Unicode standard, over tables of Node's own. No kept
 * library has tables of this Unicode version.
 */

const HANGUL = { first: 0xac00, leading: 0x1100, vowel: 0x1161, trailing: 0x11a7, leadings: 19, vowels: 21, trailings: 28 };
const HANGUL_COUNT = HANGUL.leadings * HANGUL.vowels * HANGUL.trailings;
const FORMS = ['NFC', 'NFD', 'NFKC', 'NFKD'];

interface Tables {
  readonly canonical: ReadonlyMap<string, string>;
  readonly compatible: ReadonlyMap<string, string>;
  /** The class of a mark; nothing else has one. */
  readonly classes: ReadonlyMap<string, number>;
  /** Two characters that are one. */
  readonly composed: ReadonlyMap<string, string>;
}

const tables = lazily((): Tables => {
  const canonical = tableOf(CANONICAL);
  const classes = new Map(MARKS.split('\n').flatMap((marks, index) => Array.from(marks, (mark) => [mark, index + 1] as const)));
  return { canonical, compatible: tableOf(COMPATIBLE), classes, composed: compositions(canonical) };
});

function compositions(canonical: ReadonlyMap<string, string>): Map<string, string> {
  const excluded = new Set(NOT_COMPOSED);
  const wholes = new Map([...canonical].filter(([char]) => !excluded.has(char)).map(([char, parts]) => [parts, char]));
  const composed = new Map<string, string>();
  for (const [parts, char] of wholes) {
    // A character is made of what all but its last part make, and that.
    const list = Array.from(parts);
    const last = list.pop() ?? '';
    const first = list.join('');
    composed.set((list.length === 1 ? first : (wholes.get(first) ?? first)) + last, char);
  }
  return composed;
}

function tableOf(text: string): Map<string, string> {
  const table = new Map<string, string>();
  for (const line of text.split('\n')) {
    const char = String.fromCodePoint(line.codePointAt(0) ?? 0);
    table.set(char, line.slice(char.length));
  }
  return table;
}

/** @throws RangeError for a form that is none */
export function normalize(text: string, form = 'NFC'): string {
  if (!FORMS.includes(form)) throw new RangeError(`The normalization form should be one of ${FORMS.join(', ')}.`);
  if (/^[\0-\x7f]*$/.test(text)) return text;
  const parts = inOrder(decompose(text, form.includes('K')));
  return form.endsWith('C') ? compose(parts) : parts.join('');
}

function decompose(text: string, isCompatible: boolean): string[] {
  const { canonical, compatible } = tables();
  const parts: string[] = [];
  for (const char of text) {
    const made = (isCompatible ? compatible.get(char) : undefined) ?? canonical.get(char) ?? hangulParts(char);
    if (made === undefined) parts.push(char);
    else parts.push(...Array.from(made));
  }
  return parts;
}

function hangulParts(char: string): string | undefined {
  const index = (char.codePointAt(0) ?? 0) - HANGUL.first;
  if (index < 0 || index >= HANGUL_COUNT) return undefined;
  const trailing = index % HANGUL.trailings;
  const vowel = Math.floor(index / HANGUL.trailings) % HANGUL.vowels;
  const leading = Math.floor(index / (HANGUL.trailings * HANGUL.vowels));
  const codes = [HANGUL.leading + leading, HANGUL.vowel + vowel, ...(trailing === 0 ? [] : [HANGUL.trailing + trailing])];
  return String.fromCharCode(...codes);
}

/** Marks that follow each other in the order of their classes. */
function inOrder(parts: string[]): string[] {
  const { classes } = tables();
  for (let i = 0; i < parts.length; i++) {
    if (!classes.has(parts[i])) continue;
    let end = i;
    while (end < parts.length && classes.has(parts[end])) end++;
    const marks = parts.slice(i, end).sort((a, b) => (classes.get(a) ?? 0) - (classes.get(b) ?? 0));
    for (let j = 0; j < marks.length; j++) parts[i + j] = marks[j];
    i = end;
  }
  return parts;
}

function compose(parts: readonly string[]): string {
  const { classes, composed } = tables();
  const made: string[] = [];
  let starter = -1;
  let lastClass = -1;
  for (const part of parts) {
    const own = classes.get(part) ?? 0;
    const isBlocked = lastClass !== -1 && lastClass >= own;
    const whole = starter < 0 || isBlocked ? undefined : (composed.get(made[starter] + part) ?? hangulWhole(made[starter], part));
    if (whole !== undefined) {
      made[starter] = whole;
      continue;
    }
    made.push(part);
    lastClass = own;
    if (own === 0) {
      starter = made.length - 1;
      lastClass = -1;
    }
  }
  return made.join('');
}

function hangulWhole(first: string, second: string): string | undefined {
  const [a, b] = [first.charCodeAt(0), second.charCodeAt(0)];
  const leading = a - HANGUL.leading;
  const vowel = b - HANGUL.vowel;
  if (leading >= 0 && leading < HANGUL.leadings && vowel >= 0 && vowel < HANGUL.vowels) {
    return String.fromCharCode(HANGUL.first + (leading * HANGUL.vowels + vowel) * HANGUL.trailings);
  }
  const whole = a - HANGUL.first;
  const trailing = b - HANGUL.trailing;
  const takes = whole >= 0 && whole < HANGUL_COUNT && whole % HANGUL.trailings === 0;
  return takes && trailing > 0 && trailing < HANGUL.trailings ? String.fromCharCode(a + trailing) : undefined;
}

/* oxlint-disable typescript/unbound-method -- taken off its holder on purpose */
const textOf = (value: unknown): string => String(value);

/** Puts it on `String.prototype`, as the standard has it there. */
export function installNormalize(): void {
  const holder = {
    normalize(this: unknown, form?: unknown): string {
      if (this === undefined || this === null) throw new TypeError('String.prototype.normalize called on null or undefined');
      return normalize(textOf(this), form === undefined ? 'NFC' : textOf(form));
    },
  };
  Object.defineProperty(holder.normalize, 'length', { value: 0, configurable: true });
  // oxlint-disable-next-line no-extend-native -- the standard's own
  Object.defineProperty(String.prototype, 'normalize', { value: holder.normalize, writable: true, configurable: true, enumerable: false });
}
