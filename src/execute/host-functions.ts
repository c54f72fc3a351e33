import type { CallTable } from '../../host-functions/call-tool.ts';
import { createGetState } from '../../host-functions/get-state.ts';
import { HostFunctionError } from '../../host-functions/host-error.ts';
import type { Log } from '../../host-functions/log.ts';
import { readMountedFile } from '../../host-functions/read-file.ts';
import { GuestCatchable, type HostFunctions } from '../engine/abi/core-host.ts';
import { GuestStop } from './guest-stop.ts';
import type { WorkerTask } from './worker-protocol.ts';

/** The four host functions of one run. */
export function createHostFunctions(
  { limits, state }: Pick<WorkerTask, 'limits' | 'state'>,
  mounts: ReadonlyMap<string, string>,
  calls: CallTable,
  log: Log,
): HostFunctions {
  return {
    callTool: (server, tool, args) => calls.begin(server, tool, args),
    readFile: (path) => readFile(mounts, path, limits.maxFileBytes),
    getState: createGetState(state, limits.maxStateBytes, (bytes) => {
      const message = `The session's state has ${bytes} bytes; at most ${limits.maxStateBytes} are allowed.`;
      throw new GuestStop('ERR_EXECUTE_RESULT_TOO_LARGE', message);
    }),
    log: (level, message) => log.append(level, message),
  };
}

function readFile(mounts: ReadonlyMap<string, string>, path: string, maxBytes: number): Uint8Array {
  try {
    return readMountedFile(mounts, path, maxBytes);
  } catch (error) {
    if (!(error instanceof HostFunctionError)) throw error;
    throw new GuestCatchable(error.toJsonText());
  }
}
