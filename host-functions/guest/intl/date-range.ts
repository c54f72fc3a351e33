import { type DateFields, fieldsOf } from './date-fields.ts';
import { shapeOf, skeletonOf, type Token, tokenize } from './date-pattern.ts';
import { dayPeriod, type Part, type Writing, writeDate } from './date-text.ts';
import { adjustedPattern } from './pattern-finder.ts';

export interface RangePart extends Part {
  source: 'startRange' | 'endRange' | 'shared';
}

export interface RangeFormat {
  readonly pattern: string;
  readonly tokens: readonly Token[];
  readonly writing: Writing;
  /** The locale's pattern for a skeleton. */
  readonly best: (skeleton: string) => string;
}

/** Fields of a date; all others are of the time of day. */
const DATE_LETTERS = 'GyMLdEec';

/** A range of two times, as short as the locale writes it. */
export function writeRange(format: RangeFormat, start: number, end: number): RangePart[] {
  const { tokens, writing } = format;
  const first = writeDate(tokens, start, writing);
  const second = writeDate(tokens, end, writing);
  const isOfPeriods = tokens.some(({ letter }) => letter === 'B');
  const field = largestDifference(fieldsOf(start, writing.timeZone), fieldsOf(end, writing.timeZone), isOfPeriods, writing);
  const isOfTimes = !tokens.some(({ letter }) => letter !== '' && DATE_LETTERS.includes(letter));
  const needsDate = isOfTimes && 'GyMd'.includes(field);
  if (textOf(first) === textOf(second) && !needsDate) return withSource(first, 'shared');
  const missing = needsDate ? 'yMd' : field === 'y' && !tokens.some(({ letter }) => letter === 'y') && !isOfTimes ? 'y' : '';
  if (missing !== '') return writeRange(withFields(format, missing), start, end);
  return shortRange(format, field, start, end) ?? joined(writing.data.intervalFallback, first, second);
}

/** A range that goes beyond what its fields show takes more of them. */
function withFields(format: RangeFormat, letters: string): RangeFormat {
  const pattern = format.best(letters + skeletonOf(format.pattern));
  return { ...format, pattern, tokens: tokenize(pattern) };
}

function textOf(parts: readonly Part[]): string {
  return parts.map(({ value }) => value).join('');
}

function withSource(parts: readonly Part[], source: RangePart['source']): RangePart[] {
  return parts.map((part) => ({ ...part, source }));
}

/** The letter of the largest field in which two times differ. */
function largestDifference(a: DateFields, b: DateFields, isOfPeriods: boolean, { data }: Writing): string {
  if (a.year > 0 !== b.year > 0) return 'G';
  if (a.year !== b.year) return 'y';
  if (a.month !== b.month) return 'M';
  if (a.day !== b.day) return 'd';
  if (a.hour < 12 !== b.hour < 12) return 'a';
  if (isOfPeriods && dayPeriod(1, a, data) !== dayPeriod(1, b, data) && a.hour !== b.hour) return 'B';
  if (a.hour !== b.hour) return 'h';
  return a.minute === b.minute ? 's' : 'm';
}

/** The locale's own way to write a range that differs in a field; undefined when it has none. */
function shortRange({ pattern, tokens, writing, best }: RangeFormat, field: string, start: number, end: number): RangePart[] | undefined {
  const fields = tokens.filter(({ letter }) => letter !== '');
  const date = fields.filter(({ letter }) => DATE_LETTERS.includes(letter));
  const isDateField = 'GyMd'.includes(field);
  if (date.length === fields.length) return isDateField ? inOnePattern(skeletonOf(pattern), field, start, end, writing) : undefined;
  if (isDateField) return undefined;
  const time = skeletonOf(
    fields
      .filter((token) => !date.includes(token))
      .map(({ letter, length }) => letter.repeat(length))
      .join(''),
  );
  const times = inOnePattern(time, field, start, end, writing);
  if (times === undefined || date.length === 0) return times;
  const day = writeDate(tokenize(best(skeletonOf(date.map(({ letter, length }) => letter.repeat(length)).join('')))), start, writing);
  return writing.data.glue[2].split(/(\{[01]\})/).flatMap((piece): RangePart[] => {
    if (piece === '{0}') return times;
    if (piece === '{1}') return withSource(day, 'shared');
    return piece === '' ? [] : [{ type: 'literal', value: piece, source: 'shared' }];
  });
}

function inOnePattern(skeleton: string, field: string, start: number, end: number, writing: Writing): RangePart[] | undefined {
  const found = intervalPattern(skeleton, field, writing);
  if (found === undefined) return undefined;
  const tokens = tokenize(found);
  const seen = new Set<string>();
  // The end begins with the first field that was there before.
  const split = tokens.findIndex(({ letter }) => letter !== '' && (seen.has(letter) || !seen.add(letter)));
  const from = split < 0 ? tokens.length : split;
  const [first, second] = [writeDate(tokens.slice(0, from), start, writing), writeDate(tokens.slice(from), end, writing)];
  return [...withSource(first, 'startRange'), ...withSource(second, 'endRange')].map((part) =>
    part.type === 'literal' ? { ...part, source: 'shared' } : part,
  );
}

/** The interval pattern of the skeleton with the same fields whose widths are nearest. */
function intervalPattern(skeleton: string, field: string, { data }: Writing): string | undefined {
  const wanted = shapeOf(skeleton);
  const is24 = /[Hk]/.test(skeleton);
  const letter = field === 'h' ? (is24 ? 'H' : 'h') : field === 'a' && is24 ? 'H' : field;
  let best: { key: string; distance: number } | undefined;
  for (const key of Object.keys(data.intervals)) {
    const { types } = shapeOf(key);
    if (types.some((type, i) => (type === 0) !== (wanted.types[i] === 0)) || data.intervals[key][letter] === undefined) continue;
    const distance = types.reduce((sum, type, i) => sum + Math.abs(type - wanted.types[i]), 0);
    if (best === undefined || distance < best.distance) best = { key, distance };
  }
  return best === undefined ? undefined : adjustedPattern(best.key, data.intervals[best.key][letter], wanted);
}

function joined(form: string, first: readonly Part[], second: readonly Part[]): RangePart[] {
  return form.split(/(\{[01]\})/).flatMap((piece): RangePart[] => {
    if (piece === '{0}') return withSource(first, 'startRange');
    if (piece === '{1}') return withSource(second, 'endRange');
    return piece === '' ? [] : [{ type: 'literal', value: piece, source: 'shared' }];
  });
}
