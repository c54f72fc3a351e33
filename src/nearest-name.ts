import { distance } from 'fastest-levenshtein';

/** Longer words are cut: nobody misspells more, and the cost of a comparison grows with the product of the lengths. */
const MAX_CHARS = 100;
const MAX_NAMES = 3;

/** Up to three of `names` that are spelled so much like `word`, ignoring case, that they may be meant; the nearest first. */
export function nearestNames(word: string, names: Iterable<string>): string[] {
  const wanted = word.slice(0, MAX_CHARS).toLowerCase();
  return [...new Set(names)]
    .map((name) => ({ name, away: distance(wanted, name.slice(0, MAX_CHARS).toLowerCase()) }))
    .filter(({ name, away }) => away <= Math.max(2, Math.min(wanted.length, name.length) / 2))
    .sort((a, b) => a.away - b.away || (a.name < b.name ? -1 : 1))
    .slice(0, MAX_NAMES)
    .map(({ name }) => name);
}

/** The nearest of {@link nearestNames}. */
export function nearestName(word: string, names: Iterable<string>): string | undefined {
  return nearestNames(word, names)[0];
}
