import { plain } from './primordials.ts';

/** What `start` says about a run. Sizes in bytes of UTF-8. */
export interface RunOptions {
  now: number;
  seed: string;
  maxResultBytes: number;
  maxStateBytes: number;
  maxLogBytes: number;
  maxToolArgumentBytes: number;
}

export interface Failure {
  status: 'failed';
  code: string;
  name: string;
  message: string;
  stack: string;
  hint?: string;
}

/** How a run ended, as `status` gives it out; a completed run has two more texts. */
export type Ending = { status: 'completed'; result: string; state: string } | Failure;

/** The run that this instance holds. One instance runs one program once. */
export const run: { options: RunOptions; ending: Ending | null; runningCalls: number } = {
  options: plain({ now: 0, seed: '', maxResultBytes: 0, maxStateBytes: 0, maxLogBytes: 65_536, maxToolArgumentBytes: 0 }),
  ending: null,
  runningCalls: 0,
};

/** Ends the run. Only the first ending counts. */
export function end(ending: Ending): void {
  run.ending ??= ending;
}

/** Back to before a run. */
export function resetRun(): void {
  run.ending = null;
  run.runningCalls = 0;
}
