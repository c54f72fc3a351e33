import { RE2JS } from 're2js';
import type { Policies } from '../config/policy-schema.ts';

/** A piece of a text that is personal data of a kind. */
export interface Match {
  readonly kind: string;
  readonly from: number;
  readonly to: number;
}

/** Finds personal data in a text. @param key the name of the member that the text is the value of */
export type FindPersonal = (text: string, key?: string) => Match[];

/** Domain: labels with dots between them. What may stand before the @ is looked for backwards, so that texts without one cost nothing. */
const DOMAIN = /[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,62})(?:\.[\p{L}\p{N}-]{1,63}){1,8}/uy;
const LOCAL_UNIT = /[\p{L}\p{N}.!#$%&'*+/=?^_`{|}~-]/u;
/** In front of an address these mostly belong to something else: a parameter, a path, a quotation. */
const IN_FRONT = /^.*[!#$&'*/=?^`{|}~](?=.*[\p{L}\p{N}])|^[^\p{L}\p{N}]+(?=.*[\p{L}\p{N}])/u;
const MAX_LOCAL = 64;

const CARD = /(?<![\d.])[2-6](?:[ -]?\d){12,18}(?![\d.]\d|\d)/g;
const PHONES = [
  // With a country code.
  /(?<![\w.+])(?:\+|00)[1-9](?:[ ()./-]{0,3}\d){6,14}(?!\w)/g,
  // With an area code that begins with a zero.
  /(?<![\w.+])\(?0[1-9]\d{0,4}\)?[ /-]{1,3}\d(?:[ -]?\d){4,9}(?!\w)/g,
  /(?<![\w.+])0[1-9]\d{8,10}(?![\w.])/g,
  // North American.
  /(?<![\w.+-])(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[-. ])\d{3}[-. ]\d{4}(?![\w-])/g,
];
/** Without so many digits near each other there is neither a phone number nor a card. */
const MANY_DIGITS = /\d(?:[ ()./-]{0,3}\d){6}/;
const PHONE_NAME = /phone|mobile|handy|telefon|(?:^|[_-])tel(?:$|[_-])|fax|cell_?(?:no|number)|whatsapp/i;
const PHONE_VALUE = /^\+?[\d ()./-]{7,24}$/;

/** Keys and tokens whose form says what they are. */
const SECRET_KEY = new RegExp(
  [
    String.raw`\bsk-[\w-]{20,200}`,
    String.raw`\b[srp]k_(?:live|test)_[A-Za-z0-9]{16,200}`,
    String.raw`\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b`,
    String.raw`\bgh[pousr]_[A-Za-z0-9]{36,255}`,
    String.raw`\bgithub_pat_\w{22,255}`,
    String.raw`\bglpat-[\w-]{20,100}`,
    String.raw`\bxox[abeoprs]-[A-Za-z0-9-]{10,250}`,
    String.raw`\bAIza[\w-]{35}`,
    String.raw`\bya29\.[\w-]{20,300}`,
    String.raw`\bnpm_[A-Za-z0-9]{36}\b`,
    String.raw`\bhf_[A-Za-z0-9]{30,100}`,
    String.raw`\bSG\.[\w-]{16,64}\.[\w-]{16,128}`,
    // Not far into a row of such characters, of which each could be a beginning.
    String.raw`\b(?<![\w-]{12})eyJ[\w-]{8,4096}\.eyJ[\w-]{8,8192}\.[\w-]{8,2048}`,
    String.raw`-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?:[A-Za-z0-9+/=\s:,]|-(?!----)){16,16384}?-----END [A-Z ]{0,40}PRIVATE KEY-----`,
  ].join('|'),
  'g',
);

/** How they begin: most texts have none of it. */
const KEY_START = /[srp]k[-_]|A(?:KIA|SIA|BIA|CCA|Iza)|gh[pousr]_|github_pat_|glpat-|xox[a-z]-|ya29\.|npm_|hf_|SG\.|eyJ|-BEGIN /;

const BUILT_IN: Record<Policies['personalData']['kinds'][number], FindPersonal> = {
  email: findEmails,
  phone: findPhones,
  card: findCards,
  key: (text) => (KEY_START.test(text) ? matches(text, SECRET_KEY, 'key') : []),
};

/** Finds what the operator has chosen. Of matches that overlap the one that begins first counts, and of those the longest. */
export function createFinder({ kinds, patterns }: Policies['personalData']): FindPersonal {
  const own = Object.entries(patterns).map(([kind, pattern]) => ({ kind, expression: RE2JS.compile(RE2JS.translateRegExp(pattern)) }));
  return (text, key) => {
    const found = kinds.flatMap((kind) => BUILT_IN[kind](text, key));
    for (const { kind, expression } of own) found.push(...findOwn(text, kind, expression));
    return withoutOverlap(found);
  };
}

/** The matches in order, each only if no earlier one reaches into it. */
export function withoutOverlap(found: Match[]): Match[] {
  if (found.length < 2) return found;
  let end = 0;
  return found
    .sort((a, b) => a.from - b.from || b.to - a.to)
    .filter(({ from, to }) => {
      if (from < end) return false;
      end = to;
      return true;
    });
}

function findOwn(text: string, kind: string, expression: RE2JS): Match[] {
  const found: Match[] = [];
  const matcher = expression.matcher(text);
  while (matcher.find()) if (matcher.end() > matcher.start()) found.push({ kind, from: matcher.start(), to: matcher.end() });
  return found;
}

function matches(text: string, expression: RegExp, kind: string): Match[] {
  return Array.from(text.matchAll(expression), ({ 0: whole, index }) => ({ kind, from: index, to: index + whole.length }));
}

function findEmails(text: string): Match[] {
  const found: Match[] = [];
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    DOMAIN.lastIndex = at + 1;
    const domain = DOMAIN.exec(text)?.[0].replace(/[.-]+$/, '');
    let from = at;
    while (from > 0 && at - from < MAX_LOCAL && LOCAL_UNIT.test(text[from - 1] ?? '')) from--;
    from += IN_FRONT.exec(text.slice(from, at))?.[0].length ?? 0;
    if (domain?.includes('.') === true && from < at) found.push({ kind: 'email', from, to: at + 1 + domain.length });
  }
  return found;
}

function findPhones(text: string, key = ''): Match[] {
  if (PHONE_NAME.test(key) && PHONE_VALUE.test(text) && hasDigits(text, 7, 15)) return [{ kind: 'phone', from: 0, to: text.length }];
  return MANY_DIGITS.test(text) ? PHONES.flatMap((expression) => matches(text, expression, 'phone')) : [];
}

function findCards(text: string): Match[] {
  if (!MANY_DIGITS.test(text)) return [];
  return matches(text, CARD, 'card').filter(({ from, to }) => isCard(text.slice(from, to).replaceAll(/\D/g, '')));
}

function hasDigits(text: string, least: number, most: number): boolean {
  const digits = text.replaceAll(/\D/g, '').length;
  return digits >= least && digits <= most;
}

/** Luhn's sum, which nine of ten other numbers fail. */
function isCard(digits: string): boolean {
  if (digits.length < 13 || digits.length > 19 || /^(\d)\1*$/.test(digits)) return false;
  let sum = 0;
  for (let place = 0; place < digits.length; place++) {
    const digit = Number(digits[digits.length - 1 - place]);
    const counted = place % 2 === 1 ? digit * 2 : digit;
    sum += counted > 9 ? counted - 9 : counted;
  }
  return sum % 10 === 0;
}
