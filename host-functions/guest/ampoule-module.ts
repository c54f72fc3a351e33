import { readFile } from './files.ts';
import { log } from './log.ts';
import { NativePromise, freeze, nameMembers } from './primordials.ts';
import { getState, setState } from './session-state.ts';
import { addSleep } from './timers.ts';
import { callTool } from './tool-calls.ts';
import { ToolError } from './tool-error.ts';

/** Resolves after `ms` of the run's virtual time. */
function sleep(ms: unknown): Promise<void> {
  return new NativePromise((resolve) => {
    addSleep(() => resolve(), ms);
  });
}

/** What `import ... from "ampoule"` gives. Its functions are frozen too: programs in one bundle share them. */
nameMembers({ callTool, readFile, getState, setState, log, sleep });
export const ampoule = freeze({
  callTool: freeze(callTool),
  readFile: freeze(readFile),
  getState: freeze(getState),
  setState: freeze(setState),
  log: freeze(log),
  sleep: freeze(sleep),
  ToolError,
});
