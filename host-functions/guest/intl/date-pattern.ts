/**
 * Date patterns of CLDR (Unicode Technical Standard 35, part 4): letters that stand for fields, and text. How the pattern for wanted
 * fields is found among those of a locale is ICU's way, so that the answers are those of browsers and Node.
 */

/** A part of a pattern: a field, with how often its letter stands there, or text. */
export interface Token {
  readonly letter: string;
  readonly length: number;
  readonly text: string;
}

/** The fields in the order of ICU: their places are the bits of a mask. */
export const FIELDS = 'G y Q M w W E D F d a H m s S z'.split(' ');
export const FIELD_OF: Readonly<Record<string, number>> = fieldIndexes([
  'G',
  'yYuUr',
  'Qq',
  'ML',
  'w',
  'W',
  'Eec',
  'D',
  'F',
  'dg',
  'abB',
  'HhKkjJC',
  'm',
  'sA',
  'S',
  'zvVOZXx',
]);
/** Places of fields. */
export const PLACE = { year: 1, month: 3, weekday: 6, dayPeriod: 10, hour: 11, minute: 12, second: 13, fraction: 14 } as const;
/** What a mark of a field's width is worth: names that differ in width are nearer to each other than to a number. */
const NUMERIC = 0x100;
const NARROW = -0x101;
const SHORT = -0x103;
const LONG = -0x104;
const DELTA = 0x10;
/** How the letters of one field differ from its first. */
const LETTER_DELTA: Readonly<Record<string, number>> = {
  Y: DELTA,
  u: 2 * DELTA,
  r: 3 * DELTA,
  L: -DELTA,
  e: -DELTA,
  c: -2 * DELTA,
  b: -DELTA,
  B: -3 * DELTA,
  H: 10 * DELTA,
  k: 11 * DELTA,
  K: DELTA,
  v: -2 * DELTA,
  O: -DELTA,
};

function fieldIndexes(letters: readonly string[]): Record<string, number> {
  const indexes: Record<string, number> = {};
  letters.forEach((group, index) => {
    for (const letter of group) indexes[letter] = index;
  });
  return indexes;
}

/** The parts of a pattern; quotes are taken off. */
export function tokenize(pattern: string): Token[] {
  const tokens: Token[] = [];
  let text = '';
  const flush = (): void => {
    if (text !== '') tokens.push({ letter: '', length: 0, text });
    text = '';
  };
  for (let i = 0; i < pattern.length;) {
    const char = pattern[i];
    if (char === "'") {
      const end = quoteEnd(pattern, i);
      text += end === i + 2 ? "'" : pattern.slice(i + 1, end - 1).replaceAll("''", "'");
      i = end;
    } else if (/[A-Za-z]/.test(char)) {
      flush();
      let end = i + 1;
      while (pattern[end] === char) end++;
      tokens.push({ letter: char, length: end - i, text: '' });
      i = end;
    } else {
      text += char;
      i++;
    }
  }
  flush();
  return tokens;
}

function quoteEnd(pattern: string, start: number): number {
  let end = start + 1;
  while (end < pattern.length) {
    if (pattern[end] !== "'") end++;
    else if (pattern[end + 1] === "'" && end > start + 1) end += 2;
    else break;
  }
  return end + 1;
}

export function untokenize(tokens: readonly Token[]): string {
  return tokens.map(({ letter, length, text }) => (letter === '' ? quoted(text) : letter.repeat(length))).join('');
}

function quoted(text: string): string {
  return text.replaceAll("'", "''").replace(/[A-Za-z]+(?:[^']*[A-Za-z]+)?/, "'$&'");
}

/** What a skeleton or pattern shows: for each field its kind, and the letter and length that say so. */
export interface Shape {
  readonly types: readonly number[];
  readonly letters: readonly string[];
  readonly lengths: readonly number[];
}

export function shapeOf(skeleton: string): Shape {
  const types = Array.from(FIELDS, () => 0);
  const letters = Array.from(FIELDS, () => '');
  const lengths = Array.from(FIELDS, () => 0);
  for (const { letter, length } of tokenize(skeleton)) {
    const field = FIELD_OF[letter];
    if (field === undefined) continue;
    types[field] = typeOf(letter, field, length);
    letters[field] = letter;
    lengths[field] = length;
  }
  if (types[PLACE.fraction] !== 0 && types[PLACE.minute] !== 0 && types[PLACE.second] === 0) {
    types[PLACE.second] = NUMERIC + 1;
    letters[PLACE.second] = 's';
    lengths[PLACE.second] = 1;
  }
  if (/[hK]/.test(letters[PLACE.hour])) {
    if (types[PLACE.dayPeriod] === 0) {
      types[PLACE.dayPeriod] = SHORT;
      letters[PLACE.dayPeriod] = 'a';
      lengths[PLACE.dayPeriod] = 1;
    }
  } else if (letters[PLACE.hour] !== '') {
    types[PLACE.dayPeriod] = 0;
    letters[PLACE.dayPeriod] = '';
  }
  return { types, letters, lengths };
}

export function typeOf(letter: string, field: number, length: number): number {
  const delta = LETTER_DELTA[letter] ?? 0;
  const isNamed =
    field === 0 ||
    field === PLACE.dayPeriod ||
    field === 15 ||
    letter === 'E' ||
    ((field === PLACE.month || field === PLACE.weekday) && length > 2);
  if (!isNamed) return NUMERIC + Math.abs(delta) + length;
  return (length === 4 ? LONG : length === 5 ? NARROW : SHORT) + delta;
}

/** The skeleton of a pattern: its fields without its text, in ICU's order. */
export function skeletonOf(pattern: string): string {
  const { letters, lengths } = shapeOf(pattern);
  return letters.map((letter, field) => (letter === 'a' && /[hK]/.test(letters[PLACE.hour]) ? '' : letter.repeat(lengths[field]))).join('');
}
