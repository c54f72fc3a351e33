import { nearestNames } from '../nearest-name.ts';

const KEY_LETTERS = 3;

/** The words of an index, by their first letters: a hostile server can bring hundreds of thousands. */
export class Vocabulary {
  readonly #words = new Map<string, Set<string>>();

  add(word: string): void {
    const key = word.slice(0, KEY_LETTERS);
    const alike = this.#words.get(key);
    if (alike) alike.add(word);
    else this.#words.set(key, new Set([word]));
  }

  /** Whether it is a word, or, with three letters or more, the beginning of one. */
  knows(word: string): boolean {
    const alike = this.#words.get(word.slice(0, KEY_LETTERS));
    if (!alike) return false;
    if (alike.has(word)) return true;
    if (word.length < KEY_LETTERS) return false;
    for (const known of alike) if (known.startsWith(word)) return true;
    return false;
  }

  /** Words that are spelled like it, the nearest first. Somebody who misspells a word mostly has its first letter right. */
  near(word: string): string[] {
    const wanted: string[] = [];
    for (const [key, words] of this.#words) {
      if (key[0] !== word[0]) continue;
      for (const known of words) if (known.length >= KEY_LETTERS && known !== word && isAsLong(known, word)) wanted.push(known);
    }
    return nearestNames(word, wanted);
  }
}

/** Others are not near in any case. */
function isAsLong(one: string, other: string): boolean {
  return Math.abs(one.length - other.length) <= Math.max(2, Math.min(one.length, other.length) / 2);
}
