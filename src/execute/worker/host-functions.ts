import { join } from 'node:path';
import { hash } from 'blake3';
import type { CallTable } from '../../../host-functions/call-tool.ts';
import { createGetState } from '../../../host-functions/get-state.ts';
import { HostFunctionError } from '../../../host-functions/host-error.ts';
import type { Log } from '../../../host-functions/log.ts';
import { readKeptResult } from '../../../host-functions/kept-result.ts';
import { readMountedFile } from '../../../host-functions/read-file.ts';
import { GuestCatchable, type HostFunctions } from '../../engine/abi/core-host.ts';
import { GuestStop } from './guest-stop.ts';
import type { RunPort } from './run-port.ts';
import type { WorkerTask } from '../worker-protocol.ts';

const RESULTS = 'results/';
const SKILLS = 'skills/';
/** Of a path that is recorded; a longer one leads nowhere. */
const MAX_PATH = 1_024;
/** No path has a colon in it. */
const SCHEME = 'ampoule://';

/** The four host functions of one run. */
export function createHostFunctions(
  {
    limits,
    state,
    results,
    skills,
    port,
  }: Pick<WorkerTask, 'limits' | 'state' | 'results' | 'skills'> & { readonly port: Pick<RunPort, 'recordFile'> },
  mounts: ReadonlyMap<string, string>,
  calls: CallTable,
  log: Log,
): HostFunctions {
  return {
    bounds: {
      argumentBytes: limits.maxToolArgumentBytes,
      get messageBytes() {
        return log.messageBytes;
      },
    },
    callTool: (server, tool, args) => calls.begin(server, tool, args),
    readFile(path) {
      const read = { path: path.slice(0, MAX_PATH).toWellFormed(), bytes: 0, hash: '' };
      try {
        const content = readFile(mounts, { results, skills }, path, limits.maxFileBytes);
        port.recordFile({ ...read, bytes: content.length, hash: hash(content).toString('hex') });
        return content;
      } catch (error) {
        port.recordFile(read);
        throw error;
      }
    },
    getState: createGetState(state, limits.maxStateBytes, (bytes) => {
      const message = `The session's state has ${bytes} bytes; at most ${limits.maxStateBytes} are allowed.`;
      throw new GuestStop('ERR_EXECUTE_RESULT_TOO_LARGE', message);
    }),
    log: (level, message, unreadBytes) => log.append(level, message, unreadBytes),
  };
}

/** Where the results and skills of a principal are is the gateway's to say: the folders of all of them are no mounts like others. */
function readFile(
  mounts: ReadonlyMap<string, string>,
  { results, skills }: { readonly results: string | undefined; readonly skills: string | undefined },
  name: string,
  maxBytes: number,
): Uint8Array {
  // An answer tells where the whole of a result is by its URI.
  const path = name.startsWith(SCHEME) ? name.slice(SCHEME.length) : name;
  try {
    if (path.startsWith(RESULTS)) return readKeptResult(folderOf(mounts, 'results', results), path.slice(RESULTS.length), maxBytes);
    if (path.startsWith(SKILLS)) return readMountedFile(onlyMount('skills', folderOf(mounts, 'skills', skills)), path, maxBytes);
    return readMountedFile(mounts, path, maxBytes);
  } catch (error) {
    if (!(error instanceof HostFunctionError)) throw error;
    throw new GuestCatchable(error.toJsonText());
  }
}

function folderOf(mounts: ReadonlyMap<string, string>, mount: string, folder: string | undefined): string | undefined {
  const root = mounts.get(mount);
  return root === undefined || folder === undefined ? undefined : join(root, folder);
}

function onlyMount(name: string, folder: string | undefined): ReadonlyMap<string, string> {
  return new Map(folder === undefined ? [] : [[name, folder]]);
}
