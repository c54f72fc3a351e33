import * as host from 'ampoule:sandbox/host';
import { isQuickJs } from './engine.ts';
import * as p from './primordials.ts';

/**
 * The four host functions, for the runtime. On SpiderMonkey they live in the realm of the bindings, and so does an error that is made in them
 * where the stack or the memory ends: the constructor of its constructor would hand that realm, with its way into all of linear memory, to the
 * program. Every error that comes from there is made anew.
 */
export function callTool(server: string, tool: string, args: string): number {
  try {
    return host.callTool(server, tool, args);
  } catch (thrown) {
    throw ownError(thrown);
  }
}

/** @throws an error whose message is the JSON text of `{ code, message, hint? }` */
export function readFile(path: string): ArrayLike<number> & object {
  try {
    return host.readFile(path);
  } catch (thrown) {
    throw ownError(thrown);
  }
}

export function getState(): string {
  try {
    return host.getState();
  } catch (thrown) {
    throw ownError(thrown);
  }
}

export function log(level: string, message: string): void {
  try {
    host.log(level, message);
  } catch (thrown) {
    throw ownError(thrown);
  }
}

const prototype = (globalThis as { InternalError?: { prototype: object } }).InternalError?.prototype ?? p.NativeError.prototype;

/** QuickJS has one realm. */
function ownError(thrown: unknown): unknown {
  if (isQuickJs || typeof thrown !== 'object' || thrown === null) return thrown;
  const { message } = thrown as { message?: unknown };
  return p.setPrototypeOf(new p.NativeError(typeof message === 'string' ? message : ''), prototype);
}
