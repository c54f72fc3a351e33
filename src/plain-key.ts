/** Most characters of a name that somebody wrote into a program. */
const MAX_LENGTH = 64;
const MAX_WORD = 24;
/** Words with digits in them that are names all the same. */
const KNOWN_WORDS = /sha(?:1|224|256|384|512)|base(?:16|32|58|64)|utf(?:8|16|32)|iso\d{4,5}|rfc\d{3,4}|x509|p256|p384|ed25519|24h|30d/giu;

/**
 * Whether an object's key looks like the name of a property, and not like data that is used as a key: identifiers, dates, addresses,
 * tokens, file names, names of people. In doubt it is data, because a property's name is written down and shown.
 */
export function isPlainKey(key: string): boolean {
  if (key.length > MAX_LENGTH || key === '__proto__' || !/^[@$_]{0,2}[A-Za-z][A-Za-z0-9_-]*$/u.test(key)) return false;
  const rest = key.replaceAll(KNOWN_WORDS, '');
  if ((rest.match(/\d/gu) ?? []).length >= 3) return false;
  return rest.split(/[_-]|(?<=[a-z])(?=[A-Z])/u).every(isPlainWord) && !isJumbled(rest);
}

function isPlainWord(word: string): boolean {
  if (word.length > MAX_WORD || (word.length > 12 && /\d/u.test(word))) return false;
  // Eight consonants in a row are in no word, nor in two.
  return !/[b-df-hj-np-tv-xz]{8}/iu.test(word);
}

/** Tokens change between small and capital letters all the time; names do at the beginnings of words. */
function isJumbled(key: string): boolean {
  const changes = key.match(/[a-z](?=[A-Z])|[A-Z](?=[a-z])/gu) ?? [];
  return key.length >= 10 && changes.length * 2 > key.length;
}
