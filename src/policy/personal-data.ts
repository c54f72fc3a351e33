import type { Policies } from '../config/policy-schema.ts';
import { createFinder, withoutOverlap, type FindPersonal } from './personal-patterns.ts';
import { TOKEN, TokenVaults, type KeptToken, type TokenVault } from './token-vault.ts';
import { textSlices } from './text-slices.ts';
import { jsonLeaves } from './walk-json.ts';

/** Takes personal data out of what goes to the model. */
export interface Hide {
  text(text: string): string;
  /** The token for a number, given the name of the member that it is the value of; undefined for a number that may be shown. */
  number(value: number, key: string | undefined): string | undefined;
  /** A copy of a JSON value: keys and numbers too. The value itself when there is nothing to hide. */
  value(value: unknown): unknown;
}

/** The operator's rules on personal data. */
export interface PersonalData {
  begin(principal: string): RunPersonalData;
}

/** Personal data in one run. */
export interface RunPersonalData {
  /** Undefined while there is nothing to hide: nothing that this principal has ever got, and nothing that this run has. */
  readonly hide: Hide | undefined;
  watches(server: string): boolean;
  /** The run begins with what an earlier one has left, which may be from one of the servers: it is not known what of it is. */
  suspectAll(): void;
  /**
   * Learns the personal data in an answer, in steps between which others may have their turn.
   * @param rules the data-flow rules that the answer is a matter of, as bits
   */
  note(answer: unknown, rules?: number): Iterable<void>;
  /** Arguments with the values in the place of their tokens. */
  putBack(args: unknown): PutBack;
  /** What another process needs to go on with the run: the tokens in a text among it. */
  memoryOf(text: string): TokenMemory;
  restore(memory: TokenMemory): void;
}

/** What the tokens of a run stand for, and what further ones are made with. As secret as the values. */
export interface TokenMemory {
  readonly key: string;
  readonly tokens: readonly KeptToken[];
}

/** A value that has been put back, and the data-flow rules that it is a matter of, as bits. */
interface MarkedValue {
  readonly value: string | number;
  readonly rules: number;
}

export type PutBack =
  | { readonly ok: true; readonly value: unknown; readonly marked: readonly MarkedValue[] }
  | { readonly ok: false; readonly token: string };

/** A long text of these characters alone is encoded data: a pattern that fits somewhere in it means nothing. */
const ENCODED = /^[A-Za-z0-9+/_-]{256,}={0,2}$/;
/** Of slices of long texts: no private key is longer. */
const OVERLAP = 18 * 1024;
/** A key that names a field. One with digits may be data: a token, a number of somebody. */
const NAME_KEY = /^[A-Za-z_$][A-Za-z_$-]{0,63}$/;

/** Rules on personal data; undefined when no server has any. */
export function createPersonalData(policy: Policies['personalData'], ttlMs: number, now?: () => number): PersonalData | undefined {
  if (policy.servers.length === 0) return undefined;
  const find = createFinder(policy);
  const servers = new Set(policy.servers);
  const vaults = new TokenVaults(ttlMs, now);
  return { begin: (principal) => new PrivateRun(servers, find, vaults.of(principal)) };
}

class PrivateRun implements RunPersonalData {
  readonly #servers: ReadonlySet<string>;
  readonly #find: FindPersonal;
  readonly #vault: TokenVault;
  /** Whether this run got anything from one of the servers: then everything that looks like personal data is. */
  #isTouched = false;
  readonly #hide: Hide = {
    text: (text) => this.#hideText(text),
    number: (value, key) => this.#hideNumber(value, key),
    value: (value) => this.#hideValue(value),
  };

  constructor(servers: ReadonlySet<string>, find: FindPersonal, vault: TokenVault) {
    this.#servers = servers;
    this.#find = find;
    this.#vault = vault;
  }

  get hide(): Hide | undefined {
    return this.#isTouched || !this.#vault.isEmpty ? this.#hide : undefined;
  }

  watches(server: string): boolean {
    return this.#servers.has(server);
  }

  suspectAll(): void {
    this.#isTouched = true;
  }

  *note(answer: unknown, rules = 0): Generator<void, void> {
    this.#isTouched = true;
    for (const { value: leaf, isKey, cursor } of jsonLeaves(answer)) {
      if (typeof leaf === 'number') this.#noteNumber(leaf, cursor.key(), rules);
      else if (!(isKey && NAME_KEY.test(leaf)) && !ENCODED.test(leaf)) {
        const key = isKey ? undefined : cursor.key();
        for (const slice of textSlices(leaf, OVERLAP)) yield this.#noteText(slice, key, rules);
      }
    }
  }

  #noteText(text: string, key: string | undefined, rules: number): void {
    for (const { kind, from, to } of this.#find(text, key)) {
      const value = text.slice(from, to);
      this.#vault.tokenOf(kind, value);
      if (rules !== 0) this.#vault.mark(value, rules);
    }
  }

  #noteNumber(value: number, key: string | undefined, rules: number): void {
    if (this.#numberToken(value, key) !== undefined && rules !== 0) this.#vault.mark(value, rules);
  }

  /** The token of a number that is personal data as a whole. */
  #numberToken(value: number, key: string | undefined): string | undefined {
    const text = String(value);
    const [match] = Number.isInteger(value) && value > 0 ? this.#find(text, key) : [];
    return match?.from === 0 && match.to === text.length ? this.#vault.tokenOf(match.kind, value) : undefined;
  }

  putBack(args: unknown): PutBack {
    let missing: string | undefined;
    const marked: MarkedValue[] = [];
    const valueOf = (token: string): string | number => {
      const value = this.#vault.valueOf(token);
      const rules = this.#vault.rulesOf(token);
      if (value === undefined) missing ??= token;
      else if (rules !== 0) marked.push({ value, rules });
      return value ?? token;
    };
    const fill = (text: string): string => (text.includes('‹') ? text.replaceAll(TOKEN, (token) => String(valueOf(token))) : text);
    const whole = (text: string): unknown => (isToken(text) ? valueOf(text) : fill(text));
    const value = mapJson(args, { text: whole, key: fill, number: (number) => number });
    return missing === undefined ? { ok: true, value, marked } : { ok: false, token: missing };
  }

  memoryOf(text: string): TokenMemory {
    return { key: this.#vault.key, tokens: this.#vault.tokensIn(text) };
  }

  restore({ key, tokens }: TokenMemory): void {
    this.#vault.restore(key, tokens);
  }

  #hideText(text: string, key?: string): string {
    const known = this.#vault.findKnown(text).map((place) => ({ ...place, kind: 'value' }));
    const found = this.#isTouched && !ENCODED.test(text) ? this.#find(text, key) : [];
    if (known.length === 0 && found.length === 0) return text;
    let shown = '';
    let end = 0;
    for (const { kind, from, to } of withoutOverlap([...known, ...found])) {
      shown += `${text.slice(end, from)}${this.#vault.tokenOf(kind, text.slice(from, to))}`;
      end = to;
    }
    return shown + text.slice(end);
  }

  #hideValue(value: unknown): unknown {
    return mapJson(value, {
      text: (text, key) => this.#hideText(text, key),
      key: (text) => (NAME_KEY.test(text) ? this.#hideKnown(text) : this.#hideText(text)),
      number: (number, key) => this.#hideNumber(number, key) ?? number,
    });
  }

  /** A name of a field is hidden only if it is a known value. */
  #hideKnown(text: string): string {
    return this.#vault.findKnown(text).length > 0 ? this.#hideText(text) : text;
  }

  #hideNumber(number: number, key: string | undefined): string | undefined {
    if (this.#vault.hasNumber(number)) return this.#vault.tokenOf('value', number);
    if (this.#isTouched) {
      const token = this.#numberToken(number, key);
      if (token !== undefined) return token;
    }
    // The digits of a text that the program made a number.
    const text = String(number);
    return this.#vault.findKnown(text).length > 0 ? this.#hideText(text) : undefined;
  }
}

function isToken(text: string): boolean {
  TOKEN.lastIndex = 0;
  return text.startsWith('‹') && text.endsWith('›') && TOKEN.exec(text)?.[0] === text;
}

interface Mapping {
  readonly text: (text: string, key: string | undefined) => unknown;
  readonly key: (key: string) => string;
  readonly number: (number: number, key: string | undefined) => unknown;
}

/** A changed copy, or the value itself where nothing changes. Values have bounded depth when they come here. */
function mapJson(value: unknown, mapping: Mapping, key?: string): unknown {
  if (typeof value === 'string') return mapping.text(value, key);
  if (typeof value === 'number') return mapping.number(value, key);
  if (Array.isArray(value)) return mapList(value, mapping, key);
  return typeof value === 'object' && value !== null ? mapRecord(value as Record<string, unknown>, mapping) : value;
}

function mapList(list: readonly unknown[], mapping: Mapping, key: string | undefined): unknown {
  let isChanged = false;
  const copy = list.map((item) => {
    const mapped = mapJson(item, mapping, key);
    isChanged ||= mapped !== item;
    return mapped;
  });
  return isChanged ? copy : list;
}

function mapRecord(record: Record<string, unknown>, mapping: Mapping): unknown {
  let isChanged = false;
  const entries = Object.entries(record).map(([name, item]): [string, unknown] => {
    const mapped: [string, unknown] = [mapping.key(name), mapJson(item, mapping, name)];
    isChanged ||= mapped[0] !== name || mapped[1] !== item;
    return mapped;
  });
  // fromEntries makes own properties of all names, `__proto__` too.
  return isChanged ? Object.fromEntries(entries) : record;
}
