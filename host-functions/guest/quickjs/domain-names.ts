/**
 * International host names (UTS #46, nontransitional) in the place of the library tr46, whose tables would more than double the memory
 * of every instance. The engine's own tables of Unicode do the work: the mapping of UTS #46 is NFKC, case folding and the removal of
 * what is ignored. The rules for bidirectional text and joiners are those of RFC 5893 and 5892 by script and by kind of character, so
 * that a few names are judged more mildly than by the full tables.
 */
import { decode, encode } from 'punycode/punycode.es6.js';

interface Options {
  verifyDNSLength?: boolean;
}

const ASCII = /^[\0-\x7f]*$/;
// oxlint-disable-next-line no-misleading-character-class -- they are meant one by one
const IGNORED = /[\u00ad\u034f\u180b-\u180f\u200b\u2060\u2064\ufe00-\ufe0f\ufeff\u{1bca0}-\u{1bca3}\u{e0100}-\u{e01ef}]/gu;
const IDEOGRAPHIC_DOT = /\u3002/g;
/** Not assigned, controls, private use, separators, and the characters that describe ideographs. Joiners have a rule of their own. */
const DISALLOWED = /(?![\u200c\u200d])[\p{C}\p{Z}\u2ff0-\u2fff\ufffc\ufffd]/u;
const STARTS_WITH_MARK = /^\p{M}/u;
const LONE_JOINER = /(?<!\p{M})[\u200c\u200d]/u;
const RIGHT_TO_LEFT =
  /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Samaritan}\p{Script=Mandaic}\p{Script=Adlam}]/u;
const BIDI_START = /^\p{L}/u;
const BIDI_END = /[\p{L}\p{Nd}]\p{M}*$/u;

/** The ASCII form of a domain, null when it is no valid one. */
export function toASCII(domain: string, options: Options = {}): string | null {
  const labels = ASCII.test(domain) ? domain.toLowerCase().split('.') : mapped(domain).split('.');
  const unicode = labels.map(decodedLabel);
  const isBidi = unicode.some((label) => label !== null && RIGHT_TO_LEFT.test(label));
  const ascii: string[] = [];
  for (let i = 0; i < labels.length; i++) {
    const label = unicode[i];
    if (label === null || (isBidi && !followsBidiRule(label))) return null;
    ascii.push(ASCII.test(label) ? label : `xn--${encode(label)}`);
  }
  if (options.verifyDNSLength === true && !hasDnsLength(ascii)) return null;
  return ascii.join('.');
}

/** What whatwg-url asks of tr46 beside {@link toASCII}. */
export function toUnicode(domain: string): { domain: string; error: boolean } {
  const labels = mapped(domain).split('.').map(decodedLabel);
  return { domain: labels.map((label) => label ?? '').join('.'), error: labels.includes(null) };
}

function mapped(domain: string): string {
  // One character at a time: a sigma at the end of a word has no special form here.
  const lower = Array.from(domain.normalize('NFKC'), (char) => char.toLowerCase()).join('');
  return lower.normalize('NFKC').replace(IGNORED, '').replace(IDEOGRAPHIC_DOT, '.').normalize('NFC');
}

/** A label in Unicode; null when it is not valid. */
function decodedLabel(label: string): string | null {
  if (!label.startsWith('xn--')) return isValid(label) ? label : null;
  try {
    const decoded = decode(label.slice(4));
    const isCanonical = decoded !== '' && !ASCII.test(decoded) && mapped(decoded) === decoded;
    return isCanonical && isValid(decoded) ? decoded : null;
  } catch {
    return null;
  }
}

function isValid(label: string): boolean {
  if (ASCII.test(label)) return true;
  return !DISALLOWED.test(label) && !STARTS_WITH_MARK.test(label) && !LONE_JOINER.test(label);
}

function followsBidiRule(label: string): boolean {
  if (label === '') return true;
  if (!BIDI_START.test(label) || !BIDI_END.test(label)) return false;
  const letters = label.match(/\p{L}/gu) ?? [];
  const isRightToLeft = RIGHT_TO_LEFT.test(letters[0] ?? '');
  return letters.every((letter) => RIGHT_TO_LEFT.test(letter) === isRightToLeft);
}

function hasDnsLength(labels: readonly string[]): boolean {
  const length = labels.join('.').length;
  return length > 0 && length <= 253 && labels.every((label) => label.length > 0 && label.length <= 63);
}
