import type { GuestMemory } from './guest-memory.ts';

/** Bytes of the texts of a run that are worth reading. What is longer is refused, or cut, before a string is made of it. */
interface HostBounds {
  readonly argumentBytes: number;
  /** Of the next log message: what is over is only counted. */
  readonly messageBytes: number;
}

/** The four host functions. */
export interface HostFunctions {
  /** Default: whatever fits into the guest's memory. */
  readonly bounds?: HostBounds;
  callTool(server: string, tool: string, args: string): number;
  /** A `GuestCatchable` is the error of the WIT result; anything else ends the guest's call. */
  readFile(path: string): Uint8Array;
  getState(): string;
  /** @param unreadBytes how much of the message was left out. */
  log(level: string, message: string, unreadBytes: number): void;
}

/** An error that a host function gives to the guest, as text. */
export class GuestCatchable extends Error {
  readonly text: string;

  constructor(text: string) {
    super(text);
    this.text = text;
  }
}

/** The names of a server and a tool: 256 characters each. */
const NAME_BYTES = 1_024;
/** A path has at most 1,024 units of UTF-16; so much of a longer one is enough to see that it is too long. */
const PATH_BYTES = 4_096;
/** "error" is the longest. */
const LEVEL_BYTES = 16;

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
      const to = host();
      const serverName = guest.readBounded(server, serverBytes, NAME_BYTES, 'server name');
      const toolName = guest.readBounded(tool, toolBytes, NAME_BYTES, 'tool name');
      return to.callTool(serverName, toolName, guest.readBounded(args, argsBytes, to.bounds?.argumentBytes ?? Infinity, 'argument text'));
    },
    'read-file': (path: number, pathBytes: number, result: number) => {
      const guest = memory();
      const file = readFile(host(), guest.readString(path, Math.min(pathBytes >>> 0, PATH_BYTES)));
      const [pointer, bytes] = typeof file === 'string' ? guest.writeString(file) : guest.writeBytes(file);
      guest.storeWords(result, typeof file === 'string' ? ERROR : OK, pointer, bytes);
    },
    'get-state': (result: number) => {
      const guest = memory();
      guest.storeWords(result, ...guest.writeString(host().getState()));
    },
    log: (level: number, levelBytes: number, message: number, messageBytes: number) => {
      const guest = memory();
      const to = host();
      const bytes = messageBytes >>> 0;
      const read = Math.min(bytes, to.bounds?.messageBytes ?? Infinity);
      to.log(guest.readBounded(level, levelBytes, LEVEL_BYTES, 'log level'), guest.readString(message, read), bytes - read);
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
