import type { FileRead, RunHistory, RunStep } from '../run.ts';
import { MAX_HISTORY_FILES, MAX_HISTORY_STEPS } from '../worker-protocol.ts';

/** Gathers what a run is given. */
export class RunRecorder {
  #steps: RunStep[] = [];
  #files: FileRead[] = [];
  /** By path, what was read there last: the same again says nothing new. */
  readonly #known = new Map<string, string>();

  /** @returns whether so much is there that it has to be taken. */
  step(step: RunStep): boolean {
    return this.#steps.push(step) >= MAX_HISTORY_STEPS;
  }

  /** As {@link step}. */
  file(file: FileRead): boolean {
    if (this.#known.get(file.path) === file.hash) return false;
    if (this.#known.size >= MAX_HISTORY_FILES) this.#known.clear();
    this.#known.set(file.path, file.hash);
    return this.#files.push(file) >= MAX_HISTORY_FILES;
  }

  /** What is there; undefined when nothing is. */
  take(): RunHistory | undefined {
    if (this.#steps.length === 0 && this.#files.length === 0) return undefined;
    const history = { steps: this.#steps, files: this.#files };
    this.#steps = [];
    this.#files = [];
    return history;
  }
}
