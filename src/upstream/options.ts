import type { LookupFunction } from 'node:net';
import type { LoginStoreOptions } from './login/login-store.ts';
import type { ProcessFamilies } from './process-family.ts';

/** Where upstream/ writes for the operator. Messages and fields carry no secrets; text of strangers is bounded and on one line. */
export interface UpstreamLog {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

export interface UpstreamOptions {
  /** Most bytes of JSON text that one answer may have. */
  readonly maxToolResultBytes: number;
  /** Most bytes of an answer over that which are kept as they came, where the transport can. Default: none. */
  readonly maxKeptResultBytes?: number;
  /** Our environment; a child process gets a few harmless variables of it and no others. */
  readonly baseEnvironment: Readonly<Record<string, string>>;
  readonly log: UpstreamLog;
  /** How long `settled()` waits for a server, in milliseconds. A first try may go on in the background for four times as long. */
  readonly connectTimeoutMs: number;
  /** Names for what stdio servers start. Default: made for all of them together. */
  readonly families?: ProcessFamilies;
  /** Who we say we are. */
  readonly clientInfo: { readonly name: string; readonly version: string };
  /** Where the logins of `ampoule login` are. Default: there are none. */
  readonly logins?: LoginStoreOptions;
  /** Finds the addresses of names. Default: the system's way. */
  readonly lookup?: LookupFunction;
}

export const DEFAULT_CONNECT_TIMEOUT_MS = 15_000;

/** Bounds of what a stranger may list. Against: endless cursors, catalogs that fill memory. */
export const LISTING_BOUNDS = { pages: 500, tools: 5_000, bytes: 16 * 1024 * 1024 } as const;

/**
 * Most bytes of one message on the wire. An answer often says the same twice (as text and structured) and escapes
 * the text, so the message may be larger than the value that is measured in the end.
 */
export function maxMessageBytes(maxToolResultBytes: number): number {
  return Math.max(LISTING_BOUNDS.bytes, 4 * maxToolResultBytes) + 1024 * 1024;
}
