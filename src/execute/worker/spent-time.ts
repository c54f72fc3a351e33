import type { Spent } from './run-state.ts';

/** What a run's time in executors goes into: this one's, and with {@link add} that of those before. */
export class SpentTime {
  readonly #began = performance.now();
  #before: Spent;

  /** Made when the program is loaded. */
  constructor(phases: Pick<Spent['phases'], 'queue' | 'component'>, cache: Spent['cache']) {
    this.#before = { cache, phases: { ...phases, run: 0 } };
  }

  /** The run was here before, or elsewhere. Where its program came from was decided then. */
  add({ cache, phases }: Spent): void {
    const { queue, component, run } = this.#before.phases;
    this.#before = { cache, phases: { queue: queue + phases.queue, component: component + phases.component, run: run + phases.run } };
  }

  now(): Spent {
    const { cache, phases } = this.#before;
    return { cache, phases: { ...phases, run: phases.run + performance.now() - this.#began } };
  }
}
