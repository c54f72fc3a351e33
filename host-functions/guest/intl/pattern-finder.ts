import { FIELD_OF, FIELDS, PLACE, type Shape, shapeOf, type Token, tokenize, typeOf, untokenize } from './date-pattern.ts';

/** The pattern for wanted fields: found among those of a locale in ICU's way, so that the answers are those of browsers and Node. */

const DATE_MASK = (1 << PLACE.dayPeriod) - 1;
const TIME_MASK = (1 << 16) - 1 - DATE_MASK;
const EXTRA = 0x10000;
const MISSING = 0x1000;
const APPEND_NAMES = 'Era Year Quarter Month Week * Day-Of-Week * * Day * Hour Minute Second F14 Timezone'.split(' ');

interface Entry extends Shape {
  readonly pattern: string;
  /** Whether the skeleton was given with the pattern, and not read off it. */
  readonly isSpecified: boolean;
}

/** What a locale has to offer. */
export interface PatternSource {
  /** Skeleton to pattern. */
  readonly available: Readonly<Record<string, string>>;
  /** The locale's own dates and times: their skeletons are read off them. */
  readonly styles: readonly string[];
  readonly append: Readonly<Record<string, string>>;
  /** What fields are called, by the names of `append`. */
  readonly names: Readonly<Record<string, string>>;
  /** Date and time in one, by the width of the date: full, long, medium, short. */
  readonly glue: readonly string[];
  readonly decimal: string;
}

/** Finds patterns for skeletons. */
export class PatternFinder {
  readonly #entries: Entry[];
  readonly #source: PatternSource;

  constructor(source: PatternSource) {
    this.#source = source;
    const entries = new Map<string, Entry>();
    const add = (skeleton: string, pattern: string, isSpecified: boolean): void => {
      const shape = shapeOf(skeleton);
      entries.set(shape.types.join(), { ...shape, pattern, isSpecified });
    };
    for (const letter of 'GyQMwWEDFdaHmsSv') add(letter, letter, false);
    for (const pattern of source.styles) add(pattern, pattern, false);
    for (const skeleton of Object.keys(source.available).sort()) add(skeleton, source.available[skeleton], true);
    this.#entries = [...entries.values()].sort((a, b) => firstLetter(a) - firstLetter(b));
  }

  /** The pattern that shows what a skeleton asks for. */
  best(skeleton: string): string {
    const wanted = shapeOf(skeleton);
    const { entry, missing } = this.#nearest(wanted, DATE_MASK | TIME_MASK);
    if (missing === 0) return adjust(entry, wanted);
    const mask = maskOf(wanted.types);
    const date = this.#appended(wanted, mask & DATE_MASK);
    const time = this.#appended(wanted, mask & TIME_MASK);
    if (date === '' || time === '') return date + time;
    const style = glueStyle(wanted);
    return this.#source.glue[style].replace(/\{([01])\}/g, (_, which) => (which === '0' ? time : date));
  }

  #nearest(wanted: Shape, mask: number): { entry: Entry; missing: number } {
    let best = Infinity;
    let found = this.#entries[0];
    let missing = 0;
    for (const entry of this.#entries) {
      const distance = distanceOf(wanted.types, entry.types, mask);
      // Of two that are as near, the one that lacks the smaller field.
      if (distance.sum > best || (distance.sum === best && distance.missing <= missing)) continue;
      best = distance.sum;
      found = entry;
      missing = distance.missing;
      if (best === 0) break;
    }
    return { entry: found, missing };
  }

  /** The pattern for some of the fields, made longer by what no pattern has. */
  #appended(wanted: Shape, mask: number): string {
    if (mask === 0) return '';
    let { entry, missing } = this.#nearest(wanted, mask);
    let pattern = adjust(entry, wanted);
    while (missing !== 0) {
      const before = missing;
      if ((missing & (1 << PLACE.fraction)) !== 0 && (mask & (1 << PLACE.second)) !== 0 && (missing & (1 << PLACE.second)) === 0) {
        pattern = withFraction(pattern, wanted, this.#source.decimal);
        missing &= ~(1 << PLACE.fraction);
        continue;
      }
      ({ entry, missing } = this.#nearest(wanted, before));
      const found = before & ~missing;
      if (found === 0) break;
      const name = APPEND_NAMES[31 - Math.clz32(found)];
      const form = this.#source.append[name] ?? (name === '*' || name === 'F14' ? '{0} ├{2}: {1}┤' : '{0} {1}');
      const added = adjust(entry, wanted);
      const soFar = pattern;
      pattern = form.replace(/\{([012])\}/g, (_, which) =>
        which === '0' ? soFar : which === '1' ? added : `'${this.#source.names[name] ?? name}'`,
      );
    }
    return pattern;
  }
}

/** ICU looks through its patterns by the first letter of their skeleton: capitals first. */
function firstLetter({ letters }: Entry): number {
  return (FIELDS[letters.findIndex((letter) => letter !== '')] ?? 'z').charCodeAt(0);
}

function maskOf(types: readonly number[]): number {
  return types.reduce((mask, type, field) => (type === 0 ? mask : mask | (1 << field)), 0);
}

function distanceOf(wanted: readonly number[], offered: readonly number[], mask: number): { sum: number; missing: number } {
  let sum = 0;
  let missing = 0;
  for (let field = 0; field < wanted.length; field++) {
    const mine = (mask & (1 << field)) === 0 ? 0 : wanted[field];
    const other = offered[field];
    if (mine === other) continue;
    if (mine === 0) sum += EXTRA;
    else if (other === 0) {
      sum += MISSING;
      missing |= 1 << field;
    } else sum += Math.abs(mine - other);
  }
  return { sum, missing };
}

/** Date and time are put together as the width of the month says. */
function glueStyle({ lengths, letters }: Shape): number {
  if (letters[PLACE.month] === '' || lengths[PLACE.month] < 3) return 3;
  if (lengths[PLACE.month] === 3) return 2;
  return lengths[PLACE.month] === 4 ? (letters[PLACE.weekday] === '' ? 1 : 0) : 3;
}

/** A pattern with its fields as wide as they are wanted. */
function adjust(entry: Entry, wanted: Shape): string {
  const tokens = tokenize(entry.pattern).map((token): Token => {
    const field = FIELD_OF[token.letter];
    if (field === undefined || wanted.types[field] === 0) return token;
    const letter =
      field === PLACE.hour || field === PLACE.month || field === PLACE.weekday || field === PLACE.year
        ? token.letter
        : wanted.letters[field];
    const length = adjustedLength(token, field, entry, wanted);
    return { letter, length, text: '' };
  });
  return untokenize(tokens);
}

function adjustedLength(token: Token, field: number, entry: Entry, wanted: Shape): number {
  const asked = wanted.letters[field] === 'E' ? Math.max(wanted.lengths[field], 3) : wanted.lengths[field];
  if (field === PLACE.minute || field === PLACE.second) return token.length;
  if (!entry.isSpecified) return asked;
  const skeletonIsNumber = entry.types[field] > 0;
  const patternIsNumber = typeOf(token.letter, field, token.length) > 0;
  return entry.lengths[field] === asked || skeletonIsNumber !== patternIsNumber ? token.length : asked;
}

function withFraction(pattern: string, wanted: Shape, decimal: string): string {
  const tokens = tokenize(pattern).flatMap((token): Token[] =>
    FIELD_OF[token.letter] === PLACE.second
      ? [token, { letter: '', length: 0, text: decimal }, { letter: 'S', length: wanted.lengths[PLACE.fraction], text: '' }]
      : [token],
  );
  return untokenize(tokens);
}

/** A pattern that belongs to a skeleton, with its fields as wide as they are wanted. */
export function adjustedPattern(skeleton: string, pattern: string, wanted: Shape): string {
  return adjust({ ...shapeOf(skeleton), pattern, isSpecified: true }, wanted);
}
