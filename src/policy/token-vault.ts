import { hash, randomBytes } from 'node:crypto';
import { KnownTexts } from './known-texts.ts';

/** Values kept of one principal; the one that was used longest ago goes first. */
const MAX_VALUES = 50_000;
const MAX_PRINCIPALS = 10_000;
/** Hexadecimal digits of a token at first; more where two values would have the same. */
const DIGITS = 10;
/** A token as it stands in a text. */
export const TOKEN = /‹[a-z][a-z0-9_]{0,31}_[0-9a-f]{10,64}›/g;

/** A token and what it stands for, as it outlives a process. */
export type KeptToken = readonly [token: string, value: string | number, rules: number];

interface Kept {
  readonly value: string | number;
  /** The data-flow rules whose sources have answered it, as bits. */
  rules: number;
  usedAt: number;
}

/** The personal data of one principal that the model knows by tokens only. */
export class TokenVault {
  /** Nobody else can tell the token of a value. */
  #key = randomBytes(32).toString('hex');
  readonly #byToken = new Map<string, Kept>();
  readonly #byValue = new Map<string | number, string>();
  readonly #known = new KnownTexts();
  readonly #ttlMs: number;
  readonly #now: () => number;
  usedAt = 0;

  constructor(ttlMs: number, now: () => number) {
    this.#ttlMs = ttlMs;
    this.#now = now;
  }

  get isEmpty(): boolean {
    return this.#byToken.size === 0;
  }

  /** The token of a value: the same one for the same value, as long as it is kept. A number and a text of its digits are two values. */
  tokenOf(kind: string, value: string | number): string {
    const token = this.#byValue.get(value) ?? this.#mint(kind, value);
    this.#use(token, this.#byToken.get(token) ?? { value, rules: 0, usedAt: 0 });
    return token;
  }

  /** The value of a token; undefined when it was never one of this principal's, or is gone. */
  valueOf(token: string): string | number | undefined {
    const kept = this.#byToken.get(token);
    if (kept === undefined) return undefined;
    if (this.#now() - kept.usedAt > this.#ttlMs) {
      this.#forget(token, kept.value);
      return undefined;
    }
    this.#use(token, kept);
    return kept.value;
  }

  /** Remembers which data-flow rules a known value is a matter of. */
  mark(value: string | number, rules: number): void {
    const kept = this.#byToken.get(this.#byValue.get(value) ?? '');
    if (kept !== undefined) kept.rules |= rules;
    // A number stands in texts too.
    if (typeof value === 'number') this.mark(String(value), rules);
  }

  /** The rules that a token's value is a matter of. */
  rulesOf(token: string): number {
    return this.#byToken.get(token)?.rules ?? 0;
  }

  /** What tokens are made with. */
  get key(): string {
    return this.#key;
  }

  /** The tokens of a text that stand for something, each once. */
  tokensIn(text: string): KeptToken[] {
    const found = text.includes('‹') ? new Set(text.match(TOKEN)) : [];
    return [...found].flatMap((token): KeptToken[] => {
      const value = this.valueOf(token);
      return value === undefined ? [] : [[token, value, this.rulesOf(token)]];
    });
  }

  /** Goes on where the vault of an earlier process was: values that come again get the tokens that they had, unless this one has made others. */
  restore(key: string, tokens: readonly KeptToken[]): void {
    if (this.isEmpty) this.#key = key;
    for (const [token, value, rules] of tokens) {
      const kept = this.#byToken.get(token);
      if (kept !== undefined && kept.value !== value) continue;
      if (!this.#byValue.has(value)) {
        this.#byValue.set(value, token);
        if (typeof value === 'string') this.#known.add(value);
      }
      this.#use(token, { value, rules: (kept?.rules ?? 0) | rules, usedAt: 0 });
    }
  }

  /** Whether a number is known. */
  hasNumber(value: number): boolean {
    return this.#byValue.has(value);
  }

  /** The known texts in a text, with no regard to what is around them. */
  findKnown(text: string): { from: number; to: number }[] {
    return this.#known.findIn(text);
  }

  #mint(kind: string, value: string | number): string {
    const name = hash('sha256', `${this.#key}:${typeof value}:${value}`);
    let digits = DIGITS;
    while (this.#byToken.has(`‹${kind}_${name.slice(0, digits)}›`) && digits < name.length) digits++;
    const token = `‹${kind}_${name.slice(0, digits)}›`;
    this.#byValue.set(value, token);
    // A number stands in texts too.
    if (typeof value === 'number') this.tokenOf(kind, String(value));
    else this.#known.add(value);
    return token;
  }

  #use(token: string, kept: Kept): void {
    this.#byToken.delete(token);
    kept.usedAt = this.#now();
    this.#byToken.set(token, kept);
    const [oldest] = this.#byToken;
    if (this.#byToken.size > MAX_VALUES && oldest !== undefined) this.#forget(oldest[0], oldest[1].value);
  }

  #forget(token: string, value: string | number): void {
    this.#byToken.delete(token);
    // It may have another token too, from an earlier process.
    if (this.#byValue.get(value) !== token) return;
    this.#byValue.delete(value);
    if (typeof value === 'string') this.#known.remove(value);
  }
}

/** One vault for each principal: what is in one cannot be had through another. */
export class TokenVaults {
  readonly #vaults = new Map<string, TokenVault>();
  readonly #ttlMs: number;
  readonly #now: () => number;

  /** @param ttlMs how long a value is kept after its last use */
  constructor(ttlMs: number, now: () => number = Date.now) {
    this.#ttlMs = ttlMs;
    this.#now = now;
  }

  of(principal: string): TokenVault {
    const time = this.#now();
    for (const [name, vault] of this.#vaults) {
      if (time - vault.usedAt <= this.#ttlMs && this.#vaults.size <= MAX_PRINCIPALS) break;
      this.#vaults.delete(name);
    }
    const vault = this.#vaults.get(principal) ?? new TokenVault(this.#ttlMs, this.#now);
    vault.usedAt = time;
    // The one that was used longest ago comes first.
    this.#vaults.delete(principal);
    this.#vaults.set(principal, vault);
    return vault;
  }
}
