import { hash } from 'node:crypto';
import { jsonLeaves } from './walk-json.ts';
import type { SeenValues } from './seen-values.ts';

/** Texts remembered of one session, and of all. What is forgotten counts as coming from every source. */
const MAX_OF_SESSION = 20_000;
const MAX_OF_ALL = 500_000;
const NO_WORDS: ReadonlySet<string> = new Set();

/** Longer texts are remembered by their hash. */
const MAX_KEPT_CHARS = 64;

/** By the number of a rule: what its sources have answered in a run. */
type SeenByRule = readonly SeenValues[];

/**
 * Remembers of the states of sessions which texts came from the sources of which rules, so that data cannot get around a rule by way of a session. A text
 * that we did not see being written (before a restart, by another process, too long ago) counts as coming from all of them.
 */
export class SessionTaint {
  /** By handle: the rules of each text, as bits. The session that was used longest ago is first. */
  readonly #sessions = new Map<string, Map<string, number>>();
  readonly #maxOfSession: number;
  #texts = 0;

  constructor(maxOfSession = MAX_OF_SESSION) {
    this.#maxOfSession = maxOfSession;
  }

  /** A run begins with this state: what of it is from a source has been seen. */
  open(handle: string, state: string, seen: SeenByRule): void {
    if (state === '' || state === '{}') return;
    const known = this.#sessions.get(handle);
    for (const { value: text, isKey } of jsonLeaves(JSON.parse(state))) {
      const rules = known?.get(nameOf(text)) ?? ~0;
      if (rules !== 0) seen.forEach((values, index) => rules & (1 << index) && values.note(isKey ? { [text]: 0 } : text, NO_WORDS));
    }
  }

  /** A run leaves this state behind. */
  keep(handle: string, state: string, seen: SeenByRule): void {
    if (state === '') return;
    const before = this.#sessions.get(handle) ?? new Map<string, number>();
    const now = new Map<string, number>();
    for (const { value: text } of jsonLeaves(JSON.parse(state))) {
      const name = nameOf(text);
      now.set(name, (before.get(name) ?? 0) | rulesOf(text, seen));
      if (now.size >= this.#maxOfSession) break;
    }
    // Runs of a session that go on at the same time each leave a part of the state. What is gone from it goes when there is no more room.
    const all = new Map([...before, ...now]);
    this.#texts += this.#replace(handle, all.size > this.#maxOfSession ? now : all);
    this.#makeRoom();
  }

  /** @returns by how many texts there are more now */
  #replace(handle: string, texts: Map<string, number>): number {
    const size = this.#sessions.get(handle)?.size ?? 0;
    this.#sessions.delete(handle);
    this.#sessions.set(handle, texts);
    return texts.size - size;
  }

  #makeRoom(): void {
    for (const [handle, texts] of this.#sessions) {
      if (this.#texts <= MAX_OF_ALL) return;
      this.#sessions.delete(handle);
      this.#texts -= texts.size;
    }
  }
}

function nameOf(text: string | number): string {
  const name = String(text);
  return name.length > MAX_KEPT_CHARS ? hash('sha256', name) : name;
}

function rulesOf(text: string | number, seen: SeenByRule): number {
  let rules = 0;
  seen.forEach((values, index) => {
    if (!values.isEmpty && (values.isFull || values.find(text, NO_WORDS) !== undefined)) rules |= 1 << index;
  });
  return rules;
}
