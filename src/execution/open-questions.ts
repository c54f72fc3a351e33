import type { OpenQuestion } from './open-question.ts';

/** The questions that calls of this process wait for. */
export class OpenQuestions {
  readonly #byId = new Map<string, OpenQuestion>();
  readonly #byExecution = new Map<string, Set<OpenQuestion>>();
  /** By principal, with those that are only being written down. */
  readonly #counts = new Map<string, number>();

  get(id: string): OpenQuestion | undefined {
    return this.#byId.get(id);
  }

  of(executionId: string): readonly OpenQuestion[] {
    return [...(this.#byExecution.get(executionId) ?? [])];
  }

  countOf(principal: string): number {
    return this.#counts.get(principal) ?? 0;
  }

  add(open: OpenQuestion): void {
    const { id, executionId, principal } = open.stored;
    this.#byId.set(id, open);
    this.#byExecution.set(executionId, (this.#byExecution.get(executionId) ?? new Set()).add(open));
    this.count(principal, 1);
  }

  /** One more is about to be open, or after all not. */
  count(principal: string, change: 1 | -1): void {
    const count = this.countOf(principal) + change;
    if (count > 0) this.#counts.set(principal, count);
    else this.#counts.delete(principal);
  }

  remove(open: OpenQuestion): void {
    const { id, executionId, principal } = open.stored;
    if (this.#byId.get(id) === open) this.#byId.delete(id);
    const others = this.#byExecution.get(executionId);
    others?.delete(open);
    if (others?.size === 0) this.#byExecution.delete(executionId);
    this.count(principal, -1);
  }
}
