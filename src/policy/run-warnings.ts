import type { Diagnostic } from '../errors.ts';

const MAX_WARNINGS = 20;

/** What did not stop a run but should be known: each once, and the first twenty. */
export class RunWarnings {
  readonly #known = new Map<string, Diagnostic>();

  constructor(warnings: readonly Diagnostic[]) {
    for (const warning of warnings) this.add(warning);
  }

  get all(): Diagnostic[] {
    return [...this.#known.values()];
  }

  add(warning: Diagnostic): void {
    if (this.#known.size < MAX_WARNINGS) this.#known.set(`${warning.code} ${warning.message}`, warning);
  }
}
