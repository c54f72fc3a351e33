/** Pairs of letters that words are made of: tokenizers have learned their words. By first letter. */
const COMMON_PAIRS = new Set(
  [
    'a:bcdgiklmnprstuvy b:aeijloruy c:aehiklorstu d:adeilorsu e:abcdefglmnpqrstvwxy f:aefiloru g:ehilrsu h:aeiortu i:abcdefglmnoprstvz',
    'j:aes k:aejs l:adeilostuy m:abeilmops n:acdegilnopstuvy o:abcdfglmnoprstuvw p:aeilmoprstu q:u r:acdefgiklmnorstuvy s:acehikmoprstuy',
    't:acehioprstuy u:abcefgilmnprst v:aei w:aehinors x:apt y:nops z:e',
  ]
    .join(' ')
    .split(' ')
    .flatMap((row) =>
      row
        .slice(2)
        .split('')
        .map((second) => `${row[0]}${second}`),
    ),
);

const PIECES = /(?<joined> (?=[^\d\s]))|(?<capitals>\p{Lu}{2,})|(?<word>[A-Z]?[a-z]+|[A-Z])|(?<digits>\d{1,3})|(?<space>\s+)|[^]/gu;
/** Long words are more than one token. */
const WORD_LETTERS = 10;
const SPACES = 16;
const MARGIN = 1.05;

/**
 * How many tokens a text is at most, for models of today: more than they really are, by about a quarter for prose and code. A word
 * costs one, and one more for every pair of letters in it that words do not have; a sign one; other scripts what their bytes are.
 */
export function estimateTokens(text: string): number {
  return Math.ceil(weighTokens(text));
}

/** The same without rounding, for sums over the lines of a text. */
export function weighTokens(text: string): number {
  let tokens = 0;
  for (const { 0: piece, groups = {} } of text.matchAll(PIECES)) {
    if (groups['joined'] !== undefined) continue;
    if (groups['word'] !== undefined) tokens += wordTokens(piece.toLowerCase());
    else if (groups['capitals'] !== undefined) tokens += piece.length <= 4 ? 1.6 : piece.length * 0.66;
    else if (groups['space'] !== undefined) tokens += Math.ceil(piece.length / SPACES);
    else tokens += groups['digits'] === undefined ? Buffer.byteLength(piece) : 1;
  }
  return tokens * MARGIN;
}

function wordTokens(word: string): number {
  let rare = 0;
  for (let at = 0; at + 1 < word.length; at++) if (!COMMON_PAIRS.has(word.slice(at, at + 2))) rare++;
  return 1 + Math.floor((word.length - 1) / WORD_LETTERS) + rare;
}
