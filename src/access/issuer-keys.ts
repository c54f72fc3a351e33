import { createLocalJWKSet, errors, type CryptoKey, type JSONWebKeySet, type JWSHeaderParameters, type LocalJWKSet } from 'jose';
import type { FetchJson } from './fetch-json.ts';
import { discoverIssuer } from './issuer-metadata.ts';

/** After this the keys are asked for again, in milliseconds; what is used meanwhile are the last ones. */
const FRESH_MS = 600_000;
/** Keys that the issuer has not confirmed for so long are not used any more: it may have withdrawn one. */
const LAST_MS = 86_400_000;
/** However many tokens name keys that there are not, the issuer is asked once in this time, in milliseconds. */
const COOLDOWN_MS = 30_000;
const MAX_KEYS = 100;

export interface IssuerKeysOptions {
  readonly issuer: string;
  readonly fetchJson: FetchJson;
  readonly cooldownMs?: number;
  /** What was wrong with the issuer, and when it is well again. */
  readonly log: (message: string, error?: unknown) => void;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** There are no keys to judge a token by, and it is too early to ask again. */
export class IssuerUnavailable extends Error {
  override readonly name = 'IssuerUnavailable';
}

/** The public keys of an issuer: found by discovery, renewed in the background, asked for at a bounded rate. */
export class IssuerKeys {
  readonly #options: IssuerKeysOptions;
  readonly #now: () => number;
  readonly #cooldownMs: number;
  #keys: LocalJWKSet | undefined;
  #text = '';
  #confirmedAt = -Infinity;
  #askedAt = -Infinity;
  #asking: Promise<void> | undefined;
  #wasDown = false;
  /** Goes up whenever the keys are other ones: what was verified with the old ones is verified again. */
  generation = 0;

  constructor(options: IssuerKeysOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#cooldownMs = options.cooldownMs ?? COOLDOWN_MS;
  }

  /** The seconds that a client should wait before it asks again. */
  get retryAfterSeconds(): number {
    return Math.ceil(this.#cooldownMs / 1_000);
  }

  /** Looks for the keys before the first request needs them. */
  async warm(): Promise<void> {
    await this.#ask();
  }

  /** Has the keys renewed when it is time, without anybody waiting for it. */
  keepFresh(): void {
    if (!this.#isWithin(this.#confirmedAt, FRESH_MS) && this.#mayAsk()) void this.#ask();
  }

  /**
   * The key for a token's header. An unknown one has the issuer asked, within the bound.
   * @throws IssuerUnavailable, or an error of jose for a key that there is not
   */
  async keyFor(header: JWSHeaderParameters): Promise<CryptoKey> {
    if (this.#present() === undefined && this.#mayAsk()) await this.#ask();
    this.keepFresh();
    const keys = this.#present();
    if (keys === undefined) throw new IssuerUnavailable('The keys of the issuer cannot be had at the moment');
    try {
      return await keys(header);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || !this.#mayAsk()) throw error;
      await this.#ask();
      return (this.#present() ?? keys)(header);
    }
  }

  /** Whether there are keys to judge by: what was verified with keys that nobody has confirmed for too long is not good either. */
  get arePresent(): boolean {
    return this.#present() !== undefined;
  }

  #present(): LocalJWKSet | undefined {
    return this.#isWithin(this.#confirmedAt, LAST_MS) ? this.#keys : undefined;
  }

  /** A moment to come is of a clock that was set back since: nothing is known of when it really was. */
  #isWithin(moment: number, ms: number): boolean {
    const since = this.#now() - moment;
    return since >= 0 && since <= ms;
  }

  /** One question that is under way is everybody's. */
  #mayAsk(): boolean {
    return this.#asking !== undefined || !this.#isWithin(this.#askedAt, this.#cooldownMs - 1);
  }

  #ask(): Promise<void> {
    this.#asking ??= this.#renew().finally(() => {
      this.#askedAt = this.#now();
      this.#asking = undefined;
    });
    return this.#asking;
  }

  /** Never rejects: without new keys the last ones stay. */
  async #renew(): Promise<void> {
    const { issuer, fetchJson, log } = this.#options;
    try {
      const { jwksUri } = await discoverIssuer(issuer, fetchJson);
      const set = publicKeys(await fetchJson(jwksUri), jwksUri);
      const text = JSON.stringify(set);
      if (text !== this.#text) {
        this.#keys = createLocalJWKSet(set);
        this.#text = text;
        this.generation++;
      }
      this.#confirmedAt = this.#now();
      if (this.#wasDown) log('The issuer of access tokens answers again');
      this.#wasDown = false;
    } catch (error) {
      if (!this.#wasDown) log('The issuer of access tokens cannot be asked for its keys', error);
      this.#wasDown = true;
    }
  }
}

function publicKeys({ keys }: Readonly<Record<string, unknown>>, url: string): JSONWebKeySet {
  if (!Array.isArray(keys) || keys.length > MAX_KEYS) throw new Error(`${url} has no list of at most ${MAX_KEYS} "keys"`);
  return { keys: keys as JSONWebKeySet['keys'] };
}
