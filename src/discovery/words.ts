/** Longer words are cut: no query needs more, and the cost of a misspelt one grows with its length. */
const MAX_WORD = 40;

const STOP_WORDS = new Set(
  'a about all an and any are as at be by can do every for from how i in into is it its me my of on one or our please some something that the their them there these this to use using want what which with you your'.split(
    ' ',
  ),
);

/** Words that tools use for the same thing. */
const SYNONYMS = [
  'create add new make insert',
  'delete remove destroy drop',
  'update edit modify change set',
  'list get fetch show read view',
  'search find query lookup',
  'send post publish',
  'file document',
  'folder directory',
  'repo repository',
  'remember memory store save note keep',
].map((group) => group.split(' ').map(stem));
const VERBS = new Set(SYNONYMS.slice(0, 6).flat());

/** The words of a text: camelCase, snake_case and kebab-case are taken apart, and kept whole beside that. Small letters, in order. */
export function wordsOf(text: string): string[] {
  const words: string[] = [];
  for (const [whole] of text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .matchAll(/[\p{L}\p{N}_-]+/gu)) {
    const parts = partsOf(whole);
    for (const part of parts) words.push(stem(part));
    if (parts.length > 1) words.push(parts.join('').slice(0, MAX_WORD));
  }
  return words;
}

/** The words of a query, each once, without those that every description has; if nothing else is left, with them. */
export function queryWords(query: string, most: number): string[] {
  const words = [...new Set(wordsOf(query))];
  const telling = words.filter((word) => !STOP_WORDS.has(word));
  return (telling.length > 0 ? telling : words).slice(0, most);
}

/** Whether many tools do it: such a word says less than one for what they do it to. */
export function isVerb(word: string): boolean {
  return VERBS.has(word);
}

/** Other words for some of `words`. */
export function synonymsOf(words: readonly string[]): string[] {
  const known = new Set(words);
  return SYNONYMS.filter((group) => group.some((word) => known.has(word)))
    .flat()
    .filter((word) => !known.has(word));
}

/** Letters and digits alone, to see whether two names are the same one in another spelling. */
export function bare(name: string): string {
  return name.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, '');
}

function partsOf(identifier: string): string[] {
  return identifier
    .replaceAll(/(\p{Ll}|\p{N})(\p{Lu})/gu, '$1 $2')
    .replaceAll(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1 $2')
    .split(/[\s_-]+/u)
    .filter((part) => part !== '')
    .map((part) => part.slice(0, MAX_WORD).toLowerCase());
}

/** One form for singular and plural. */
function stem(word: string): string {
  if (word.length > 4 && word.endsWith('ies')) return `${word.slice(0, -3)}y`;
  return word.length > 3 && word.endsWith('s') && !/(?:ss|us|is)$/.test(word) ? word.slice(0, -1) : word;
}
