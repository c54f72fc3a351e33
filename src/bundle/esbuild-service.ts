import type { ChildProcess } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';

/** All that esbuild's process finds in its environment: how hard its garbage collector should work. */
const ENVIRONMENT = { GOMEMLIMIT: '768MiB', GOTRACEBACK: 'none' };
/** Node tells here of every child process that it makes. */
const CHILD_PROCESSES = 'child_process';

/**
 * esbuild's child process. esbuild starts it by itself, with our environment and without telling which it is: here it gets an
 * environment of its own, and can be ended when it does not listen any more.
 */
export class EsbuildService {
  #child: ChildProcess | undefined;

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** @param initialize makes esbuild start its process, before it returns. */
  start(initialize: () => unknown): void {
    if (this.#child) return;
    const onChild = (message: unknown): void => {
      this.#child = (message as { readonly process?: ChildProcess }).process;
      // One that cannot be started says so again, when nobody listens any more: that would end the whole process.
      this.#child?.on('error', () => undefined);
    };
    const environment = process.env;
    subscribe(CHILD_PROCESSES, onChild);
    // Nothing else of this process runs in between.
    process.env = { ...ENVIRONMENT };
    try {
      initialize();
    } catch (error) {
      this.#child = undefined;
      // An application that we are a part of has started it before us: it is its own, and we use it.
      if (!(error instanceof Error && error.message.includes('more than once'))) throw error;
    } finally {
      process.env = environment;
      unsubscribe(CHILD_PROCESSES, onChild);
    }
  }

  /** Ends the process whatever it does. The next start makes another one. */
  kill(): void {
    this.#child?.kill('SIGKILL');
    this.#child = undefined;
  }
}
