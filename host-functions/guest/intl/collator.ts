import { asciiPrimary, asciiTertiary, weigh, type Weights, type WeighOptions } from './collation.ts';
import { OTHER_ORDERS } from './collation-data.ts';
import { bagOf, stringOption, typeOption } from './date-options.ts';
import { lazily } from './lazily.ts';
import { availableLocales, dataTags, defaultLocale } from './locale-data.ts';
import { LookupSupportedLocales, ResolveLocale } from './locale-matcher.ts';
import { canonicalLocales } from './locales.ts';

interface Slots extends WeighOptions {
  readonly locale: string;
  readonly usage: string;
  readonly sensitivity: string;
  readonly collation: string;
  readonly caseFirst: string;
  bound?: (a?: unknown, b?: unknown) => number;
  /** What was weighed: a sort compares each text many times. */
  readonly weighed: Map<string, Weights>;
}

const MOST_WEIGHED = 2_000;

const BOOLEANS = ['false', 'true'];
const keywords = lazily(() =>
  Object.fromEntries([...availableLocales].map((tag) => [tag, { co: [null], kn: BOOLEANS, kf: ['false', 'lower', 'upper'] }])),
);
/** The locales of those that are there whose letters have the order that we know. */
const ordered = lazily(() => {
  const others = new Set(OTHER_ORDERS.split(' '));
  return new Set([...dataTags].filter(([, locale]) => !others.has(locale)).map(([tag]) => tag));
});

/** `Intl.Collator` with the root collation, which is that of English, German, French, Italian, Portuguese, Dutch and many more. */
export class Collator {
  readonly #slots: Slots;

  constructor(locales?: unknown, options?: unknown) {
    const requested = canonicalLocales(locales);
    const bag = options === undefined ? {} : bagOf(options);
    const usage = stringOption(bag, 'usage', ['sort', 'search']) ?? 'sort';
    stringOption(bag, 'localeMatcher', ['lookup', 'best fit']);
    typeOption(bag, 'collation');
    const numeric = bag['numeric'] === undefined ? undefined : String(Boolean(bag['numeric']));
    const caseFirst = stringOption(bag, 'caseFirst', ['upper', 'lower', 'false']);
    const sensitivity = stringOption(bag, 'sensitivity', ['base', 'accent', 'case', 'variant']) ?? 'variant';
    const ignorePunctuation = bag['ignorePunctuation'] === undefined ? false : Boolean(bag['ignorePunctuation']);
    const known = requested.filter((tag) => LookupSupportedLocales(availableLocales, [tag]).length > 0 && isOrdered(tag));
    const found = ResolveLocale(
      availableLocales,
      known,
      { kn: numeric, kf: caseFirst },
      ['co', 'kf', 'kn'],
      keywords(),
      () => defaultLocale,
    );
    this.#slots = {
      locale: found.locale,
      usage,
      sensitivity,
      ignorePunctuation,
      collation: 'default',
      numeric: found['kn'] === 'true',
      caseFirst: found['kf'] ?? 'false',
      weighed: new Map(),
    };
  }

  static supportedLocalesOf(locales: unknown, options?: unknown): string[] {
    const requested = canonicalLocales(locales);
    if (options !== undefined) stringOption(bagOf(options), 'localeMatcher', ['lookup', 'best fit']);
    return LookupSupportedLocales(availableLocales, requested).filter(isOrdered);
  }

  get compare(): (a?: unknown, b?: unknown) => number {
    const slots = this.#slots;
    if (slots.bound === undefined) {
      const bound = (a?: unknown, b?: unknown): number => compareTexts(textOf(a), textOf(b), slots);
      Object.defineProperty(bound, 'name', { value: '', configurable: true });
      Object.defineProperty(bound, 'length', { value: 2, configurable: true });
      slots.bound = bound;
    }
    return slots.bound;
  }

  resolvedOptions(): object {
    const { locale, usage, sensitivity, ignorePunctuation, collation, numeric, caseFirst } = this.#slots;
    return { locale, usage, sensitivity, ignorePunctuation, collation, numeric, caseFirst };
  }
}

function isOrdered(tag: string): boolean {
  return [...ordered()].some((known) => tag === known || tag.startsWith(`${known}-`));
}

function textOf(value: unknown): string {
  if (typeof value === 'symbol') throw new TypeError('Cannot convert a Symbol value to a string');
  return String(value);
}

function compareTexts(a: string, b: string, slots: Slots): number {
  if (a === b) return 0;
  const isPlain = !slots.numeric && !slots.ignorePunctuation && slots.caseFirst === 'false' && slots.sensitivity === 'variant';
  const plain = isPlain ? compareAscii(a, b) : undefined;
  return plain ?? compareWeights(weightsOf(a, slots), weightsOf(b, slots), slots);
}

function weightsOf(text: string, slots: Slots): Weights {
  const { weighed } = slots;
  let weights = weighed.get(text);
  if (weights === undefined) {
    weights = weigh(text, slots);
    if (weighed.size >= MOST_WEIGHED) weighed.clear();
    weighed.set(text, weights);
  }
  return weights;
}

/** Undefined when there is more than ASCII in the texts. */
function compareAscii(a: string, b: string): number | undefined {
  const end = Math.max(a.length, b.length);
  if (a.length === b.length || end < 64) {
    let third = 0;
    let [i, j] = [0, 0];
    while (true) {
      let [left, right] = [0, 0];
      let [leftCode, rightCode] = [0, 0];
      while (i < a.length && left === 0) {
        leftCode = a.charCodeAt(i++);
        if (leftCode > 127) return undefined;
        left = asciiPrimary[leftCode];
      }
      while (j < b.length && right === 0) {
        rightCode = b.charCodeAt(j++);
        if (rightCode > 127) return undefined;
        right = asciiPrimary[rightCode];
      }
      if (left !== right) return isAsciiAfter(a, i) && isAsciiAfter(b, j) ? (left < right ? -1 : 1) : undefined;
      if (left === 0) return third;
      if (third === 0) third = Math.sign(asciiTertiary[leftCode] - asciiTertiary[rightCode]);
    }
  }
  return undefined;
}

/** A mark that follows cannot change the first level, but two characters can weigh as a third. */
function isAsciiAfter(text: string, at: number): boolean {
  return at >= text.length || text.charCodeAt(at) <= 127;
}

function compareWeights(a: Weights, b: Weights, { sensitivity, caseFirst }: Slots): number {
  const first = compareLists(a.primary, b.primary);
  if (first !== 0 || sensitivity === 'base') return first;
  if (sensitivity === 'case') return compareLists(caseList(a, caseFirst), caseList(b, caseFirst));
  const second = compareLists(a.secondary, b.secondary);
  if (second !== 0 || sensitivity === 'accent') return second;
  return compareLists(thirdList(a, caseFirst), thirdList(b, caseFirst));
}

function compareLists(a: readonly number[], b: readonly number[]): number {
  const end = Math.min(a.length, b.length);
  for (let i = 0; i < end; i++) if (a[i] !== b[i]) return a[i] < b[i] ? -1 : 1;
  return Math.sign(a.length - b.length);
}

function caseList({ capitalLetter }: Weights, caseFirst: string): number[] {
  return capitalLetter.map((isCapital) => (isCapital === (caseFirst === 'upper') ? 0 : 1));
}

function thirdList({ tertiary, capital }: Weights, caseFirst: string): readonly number[] {
  if (caseFirst === 'false') return tertiary;
  return tertiary.map((weight, i) => (capital[i] === (caseFirst === 'upper') ? 0 : 256) + weight);
}
