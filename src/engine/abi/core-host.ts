import type { GuestMemory } from './guest-memory.ts';

/** The four host functions. */
export interface HostFunctions {
  callTool(server: string, tool: string, args: string): number;
  /** A `GuestCatchable` is the error of the WIT result; anything else ends the guest's call. */
  readFile(path: string): Uint8Array;
  getState(): string;
  log(level: string, message: string): void;
}

/** An error that a host function gives to the guest, as text. */
export class GuestCatchable extends Error {
  readonly text: string;

  constructor(text: string) {
    super(text);
    this.text = text;
  }
}

/** Discriminants of a WIT result. */
const OK = 0;
const ERROR = 1;

/** The import module of the four host functions, in core modules and components alike. */
export const HOST_INTERFACE = 'ampoule:sandbox/host';

/**
 * The host functions as core modules import them: flat parameters, and results of more than one word written to where the last
 * parameter points (Component Model, canonical ABI).
 *
 * @param memory known only when the engine is linked; no guest runs before that.
 */
export function lowerHostFunctions(host: () => HostFunctions, memory: () => GuestMemory): WebAssembly.ModuleImports {
  return {
    'call-tool': (server: number, serverBytes: number, tool: number, toolBytes: number, args: number, argsBytes: number) => {
      const guest = memory();
      return host().callTool(guest.readString(server, serverBytes), guest.readString(tool, toolBytes), guest.readString(args, argsBytes));
    },
    'read-file': (path: number, pathBytes: number, result: number) => {
      const guest = memory();
      const file = readFile(host(), guest.readString(path, pathBytes));
      const [pointer, bytes] = typeof file === 'string' ? guest.writeString(file) : guest.writeBytes(file);
      guest.storeWords(result, typeof file === 'string' ? ERROR : OK, pointer, bytes);
    },
    'get-state': (result: number) => {
      const guest = memory();
      guest.storeWords(result, ...guest.writeString(host().getState()));
    },
    log: (level: number, levelBytes: number, message: number, messageBytes: number) => {
      const guest = memory();
      host().log(guest.readString(level, levelBytes), guest.readString(message, messageBytes));
    },
  };
}

/** The file, or the text of the error that the guest can catch. */
function readFile(host: HostFunctions, path: string): Uint8Array | string {
  try {
    return host.readFile(path);
  } catch (error) {
    if (error instanceof GuestCatchable) return error.text;
    throw error;
  }
}
