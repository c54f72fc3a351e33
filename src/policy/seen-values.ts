import { Fingerprints, type FingerprintMemory } from './fingerprints.ts';
import { visitWindows } from './rolling-hash.ts';
import { visitPairs, visitParts } from './text-parts.ts';
import { textSlices } from './text-slices.ts';
import { jsonLeaves } from './walk-json.ts';

export interface SeenOptions {
  /** Shorter values are not followed. */
  readonly minLength: number;
  /** So many characters in a row are followed as a piece of a longer text. */
  readonly pieceLength: number;
  readonly memory: FingerprintMemory;
}

/** Whole values that are kept of one source; past this nothing is told apart any more. */
const MAX_VALUES = 200_000;
/** Of slices of long texts: words and pieces are no longer than this. */
const OVERLAP = 2_048;
const FILTER_BITS = 1 << 20;
/** A member's name of this form names a field; any other may be data. */
const FIELD_NAME = /^[A-Za-z_$][\w$-]{0,31}$/;
const LONG_NUMBER = /\d{5}/;
/** A single word says nothing about where it is from. */
const MANY_WORDS = 2;

/**
 * What one side of a data-flow rule has answered, and whether something holds any of it. Values shorter than `pieceLength` are kept as they are, longer
 * texts as fingerprints of their pieces: any piece of `pieceLength` is found, whatever is around it.
 */
export class SeenValues {
  readonly #minLength: number;
  readonly #pieceLength: number;
  /** Every `#step`-th window of `#window` characters is kept, so that each piece of `#pieceLength` holds one. */
  readonly #step: number;
  readonly #window: number;
  readonly #pieces: Fingerprints;
  readonly #pairs: Fingerprints;
  readonly #values = new Set<string>();
  /** Lengths of values by their first `#minLength` characters. */
  readonly #lengths = new Map<string, number[]>();
  #filter: Uint8Array | undefined;
  #isFull = false;
  #isReleased = false;

  constructor({ minLength, pieceLength, memory }: SeenOptions) {
    this.#minLength = minLength;
    this.#pieceLength = Math.max(minLength, pieceLength);
    this.#step = Math.ceil(this.#pieceLength / 3);
    this.#window = this.#pieceLength - this.#step + 1;
    this.#pieces = new Fingerprints(memory);
    this.#pairs = new Fingerprints(memory);
  }

  /** There was more than can be kept: nothing can be said to be free of it any more. */
  get isFull(): boolean {
    return this.#isFull || this.#pieces.isFull || this.#pairs.isFull;
  }

  get isEmpty(): boolean {
    return this.#values.size === 0 && this.#pieces.isEmpty && !this.isFull;
  }

  /** There is something of it that cannot be followed. */
  suspectAll(): void {
    this.#isFull = true;
  }

  /** Keeps all of a JSON value that is worth following. @param vocabulary texts that are words of a schema, and not data */
  note(value: unknown, vocabulary: ReadonlySet<string>): void {
    for (const _ of this.noteSteps(value, vocabulary));
  }

  /** The same in steps of bounded size, between which others may have their turn. */
  *noteSteps(value: unknown, vocabulary: ReadonlySet<string>): Generator<void, void> {
    for (const { value: leaf, isKey } of jsonLeaves(value)) {
      if (this.isFull || this.#isReleased) return;
      if (typeof leaf === 'number') this.#noteText(digitsOf(leaf));
      else if (!vocabulary.has(leaf) && !(isKey && isFieldName(leaf))) {
        for (const slice of textSlices(fold(leaf), OVERLAP)) {
          this.#noteText(slice);
          yield;
        }
      }
    }
  }

  #noteText(folded: string): void {
    if (folded.length < this.#minLength) return;
    if (folded.length < this.#pieceLength) this.#noteValue(folded);
    visitParts(folded, this.#minLength, {
      code: (word) => this.#noteValue(word),
      pair: (one, two) => this.#pairs.add(one, two),
    });
    visitWindows(folded, this.#window, (one, two) => this.#pieces.add(one, two), this.#step);
  }

  #noteValue(value: string): void {
    // A longer one is found by its pieces.
    if (value.length >= this.#pieceLength || this.#values.has(value)) return;
    if (this.#values.size >= MAX_VALUES) {
      this.#isFull = true;
      return;
    }
    this.#values.add(value);
    const start = value.slice(0, this.#minLength);
    const lengths = this.#lengths.get(start);
    if (lengths === undefined) this.#lengths.set(start, [value.length]);
    else if (!lengths.includes(value.length)) lengths.push(value.length);
    const filter = (this.#filter ??= new Uint8Array(FILTER_BITS / 8));
    visitWindows(start, this.#minLength, (one) => {
      const bit = one % FILTER_BITS;
      filter[bit >> 3] = (filter[bit >> 3] ?? 0) | (1 << (bit & 7));
      return true;
    });
  }

  /** Where in a JSON value something of it is, as a path; undefined when nowhere. */
  find(value: unknown, vocabulary: ReadonlySet<string>): string | undefined {
    for (const { value: leaf, isKey, cursor } of jsonLeaves(value)) {
      const text = typeof leaf === 'number' ? digitsOf(leaf) : leaf;
      if (!vocabulary.has(text) && this.holds(text)) return isKey ? `a key of ${parentOf(cursor.path())}` : cursor.path();
    }
    return undefined;
  }

  /** Whether a text is one of the values, or has one or a piece in it, or stands as several words in one. */
  holds(text: string): boolean {
    const folded = fold(text);
    if (folded.length < this.#minLength) return false;
    return this.#holdsValue(folded) || this.#holdsPiece(folded) || this.#standsInText(folded);
  }

  #holdsValue(text: string): boolean {
    const filter = this.#filter;
    if (filter === undefined) return false;
    return visitWindows(text, this.#minLength, (one, _two, at) => {
      const bit = one % FILTER_BITS;
      if (((filter[bit >> 3] ?? 0) & (1 << (bit & 7))) === 0) return false;
      const lengths = this.#lengths.get(text.slice(at, at + this.#minLength)) ?? [];
      return lengths.some((length) => this.#values.has(text.slice(at, at + length)));
    });
  }

  #holdsPiece(text: string): boolean {
    return !this.#pieces.isEmpty && visitWindows(text, this.#window, (one, two) => this.#pieces.has(one, two));
  }

  #standsInText(text: string): boolean {
    if (this.#pairs.isEmpty) return false;
    let isKnown = true;
    const words = visitPairs(text, (one, two) => (isKnown &&= this.#pairs.has(one, two)));
    return isKnown && words >= MANY_WORDS;
  }

  /** Gives its memory back; nothing is kept from then on. */
  release(): void {
    this.#isReleased = true;
    this.#pieces.release();
    this.#pairs.release();
    this.#values.clear();
    this.#lengths.clear();
    this.#filter = undefined;
  }
}

/** Upper and lower case are the same value, and space around it is no part of it. What becomes of a Σ depends on what follows: it must not. */
function fold(text: string): string {
  return text.trim().toLowerCase().replaceAll('ς', 'σ');
}

/** A number as its digits stand in a text; the sign is not part of what identifies anything. */
function digitsOf(value: number): string {
  return String(Math.abs(value));
}

function isFieldName(key: string): boolean {
  return FIELD_NAME.test(key) && !LONG_NUMBER.test(key);
}

function parentOf(path: string): string {
  return path.replace(/(?:\.[\w$]+|\[[^\]]*\]|\.\.\.)$/, '') || '$';
}
