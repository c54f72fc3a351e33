/** Kept results that are remembered. One that is forgotten counts as coming from every source. */
const MAX_RESULTS = 10_000;
const MENTION = /results\/([0-9a-f]{32})|\b([0-9a-f]{32})\b/g;
const EVERY_RULE = ~0;

/**
 * Remembers which kept results were made by runs that had seen answers of the sources of which rules, so that data cannot get around a rule by way of a
 * result that a later run reads back. Which ones a run reads is not seen here: those count that its code, input or state names.
 */
export class ResultTaint {
  /** By id: the rules, as bits. The oldest is first. */
  readonly #rules = new Map<string, number>();
  readonly #maxResults: number;

  constructor(maxResults = MAX_RESULTS) {
    this.#maxResults = maxResults;
  }

  /** @param uri of the kept result, which ends with its id */
  keep(uri: string, rules: number): void {
    this.#rules.set(uri.slice(uri.lastIndexOf('/') + 1), rules);
    const [oldest] = this.#rules.keys();
    if (this.#rules.size > this.#maxResults && oldest !== undefined) this.#rules.delete(oldest);
  }

  /** The rules whose sources may be in the results that a text names. */
  rulesIn(text: string): number {
    let rules = 0;
    for (const [, named, bare = ''] of text.matchAll(MENTION)) {
      rules |= this.#rules.get(named ?? bare) ?? (named === undefined ? 0 : EVERY_RULE);
    }
    return rules;
  }
}
