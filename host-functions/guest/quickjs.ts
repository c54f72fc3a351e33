/* oxlint-disable unicorn/no-thenable -- see below */
/**
 * The guest runtime on QuickJS: first what this engine lacks, then the same runtime as on the other. The bindings call exports that
 * are async functions, since the engine runs promise jobs in no others, and take anything with a `then`: ours answers at once, so
 * that no job, and nothing of the program's, stands between the runtime and the host.
 */
import './quickjs/platform.ts';
import './quickjs/dom-exception.ts';
import './quickjs/web-apis.ts';
import { installFinalization } from './quickjs/finalization.ts';
import * as guest from './main.ts';
import { freeze, plain } from './primordials.ts';

interface Settled {
  then(fulfilled: () => void): void;
}

installFinalization();

export const load: typeof guest.load = guest.load;

const DONE: Settled = freeze(plain({ then: (fulfilled: () => void) => fulfilled() }));

export function start(input: string, options: string): Settled {
  guest.start(input, options);
  return DONE;
}

export function resume(now: number, calls: ArrayLike<number>, answers: ArrayLike<string>): Settled {
  guest.resume(now, calls, answers);
  return DONE;
}

export const status: typeof guest.status = guest.status;
