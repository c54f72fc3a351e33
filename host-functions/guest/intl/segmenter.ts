import { runOf } from './break-classes.ts';
import type { stringOption } from './date-options.ts';
import { graphemeEnds } from './grapheme-breaks.ts';
import type { LookupSupportedLocales, ResolveLocale } from './locale-matcher.ts';
import { sentenceEnd } from './sentence-breaks.ts';
import { isWordLike, wordEnd } from './word-breaks.ts';

/** What all of `Intl` shares. It is in the image, and this class is evaluated on its own, later. */
interface Image {
  readonly availableLocales: ReadonlySet<string>;
  readonly defaultLocale: string;
  canonicalLocales(locales: unknown): string[];
  readonly stringOption: typeof stringOption;
  readonly LookupSupportedLocales: typeof LookupSupportedLocales;
  readonly ResolveLocale: typeof ResolveLocale;
}

interface Slots {
  readonly locale: string;
  readonly granularity: Granularity;
}

type Granularity = 'grapheme' | 'word' | 'sentence';

interface SegmentData {
  segment: string;
  index: number;
  input: string;
  isWordLike?: boolean;
}

const MATCHERS = ['lookup', 'best fit'];

/** `Intl.Segmenter`: characters by `unicode-segmenter`, words and sentences by the rules of UAX #29 and no dictionaries. */
export class Segmenter {
  /** Given before the first use. */
  static image: Image;
  readonly #slots: Slots;

  constructor(locales?: unknown, options?: unknown) {
    const { availableLocales, defaultLocale, ...image } = Segmenter.image;
    const requested = image.canonicalLocales(locales);
    if (options !== undefined && (options === null || (typeof options !== 'object' && typeof options !== 'function'))) {
      throw new TypeError('the options are not an object: leave them out, or give one');
    }
    const bag = (options ?? {}) as Record<string, unknown>;
    image.stringOption(bag, 'localeMatcher', MATCHERS);
    const { locale } = image.ResolveLocale(availableLocales, requested, {}, [], {}, () => defaultLocale);
    const granularity = image.stringOption(bag, 'granularity', ['grapheme', 'word', 'sentence']) ?? 'grapheme';
    this.#slots = { locale, granularity: granularity as Granularity };
  }

  static supportedLocalesOf(locales: unknown, options?: unknown): string[] {
    const { image } = Segmenter;
    const requested = image.canonicalLocales(locales);
    if (options === null) throw new TypeError('the options are null: leave them out, or give an object');
    if (options !== undefined) image.stringOption(Object(options) as Record<string, unknown>, 'localeMatcher', MATCHERS);
    return image.LookupSupportedLocales(image.availableLocales, requested);
  }

  segment(input: unknown): object {
    const { granularity } = this.#slots;
    if (typeof input === 'symbol') throw new TypeError('a symbol cannot become text');
    return new Segments(String(input), granularity);
  }

  resolvedOptions(): object {
    const { locale, granularity } = this.#slots;
    return { locale, granularity };
  }
}

/** Where segments end, one after the other. */
function endsOf(text: string, granularity: Granularity): Generator<number, undefined> {
  return granularity === 'grapheme' ? graphemeEnds(text) : endsBy(text, granularity === 'word' ? wordEnd : sentenceEnd);
}

function* endsBy(text: string, endOf: (text: string, from: number) => number): Generator<number, undefined> {
  for (let at = 0; at < text.length;) yield (at = endOf(text, at));
  return undefined;
}

function segmentData(input: string, granularity: Granularity, index: number, end: number): SegmentData {
  const segment = input.slice(index, end);
  return granularity === 'word' ? { segment, index, input, isWordLike: isWordLike(segment) } : { segment, index, input };
}

class Segments {
  readonly #input: string;
  readonly #granularity: Granularity;
  /** Where segments begin, as far as they were asked for: each is found once, in whatever order they are asked for. */
  readonly #starts = [0];
  readonly #ends: Generator<number, undefined>;

  constructor(input: string, granularity: Granularity) {
    this.#input = input;
    this.#granularity = granularity;
    this.#ends = endsOf(input, granularity);
  }

  containing(index?: unknown): SegmentData | undefined {
    const [input, starts] = [this.#input, this.#starts];
    const at = Math.trunc(Number(index)) || 0;
    if (at < 0 || at >= input.length) return undefined;
    while (starts[starts.length - 1] <= at) starts.push(this.#ends.next().value ?? input.length);
    const found = runOf(starts, at);
    return segmentData(input, this.#granularity, starts[found], starts[found + 1]);
  }

  [Symbol.iterator](): object {
    return new SegmentIterator(this.#input, this.#granularity);
  }
}

class SegmentIterator {
  readonly #input: string;
  readonly #granularity: Granularity;
  readonly #ends: Generator<number, undefined>;
  #index = 0;

  constructor(input: string, granularity: Granularity) {
    this.#input = input;
    this.#granularity = granularity;
    this.#ends = endsOf(input, granularity);
  }

  next(): { value: SegmentData | undefined; done: boolean } {
    const index = this.#index;
    const end = this.#ends.next().value;
    if (end === undefined) return { value: undefined, done: true };
    this.#index = end;
    return { value: segmentData(this.#input, this.#granularity, index, end), done: false };
  }
}

/** As the standard has them: objects that no constructor leads to, whose methods have the names of their keys. */
const METHODS: readonly [object, PropertyKey, string, number][] = [
  [Segments.prototype, 'containing', 'containing', 1],
  [Segments.prototype, Symbol.iterator, '[Symbol.iterator]', 0],
  [SegmentIterator.prototype, 'next', 'next', 0],
];
for (const [prototype, key, name, length] of METHODS) {
  Reflect.deleteProperty(prototype, 'constructor');
  const method = (prototype as Record<PropertyKey, object>)[key];
  Object.defineProperty(method, 'name', { value: name, configurable: true });
  Object.defineProperty(method, 'length', { value: length, configurable: true });
}
Object.setPrototypeOf(SegmentIterator.prototype, Iterator.prototype as object);
Object.defineProperty(SegmentIterator.prototype, Symbol.toStringTag, { value: 'Segmenter String Iterator', configurable: true });
