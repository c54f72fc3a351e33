import { AbortController, AbortSignal } from './abort.ts';
import { installDate, makePerformance } from './clock.ts';
import { makeConsole } from './console.ts';
import { isQuickJs } from './engine.ts';
import { installEvaluation } from './evaluation.ts';
import { CustomEvent, Event, EventTarget } from './events.ts';
import { installIntl } from './intl/install.ts';
import * as p from './primordials.ts';
import { isBridge, sealBridge } from './quickjs/bridge.ts';
import { installRandom } from './random.ts';
import { end } from './run.ts';
import { installErrors } from './standard-errors.ts';
import { installStacks } from './stack.ts';
import { completeUrl } from './starlingmonkey-url.ts';
import { failureOf } from './thrown.ts';
import { addImmediate, addTimer, cancelTimer } from './timers.ts';

type Callback = (...args: unknown[]) => unknown;

/** What the engine may keep of its own: the language, and natives that touch nothing outside. Everything else is removed. */
const KEPT =
  'undefined Infinity NaN globalThis Object Function Array Boolean Number BigInt String Symbol Math JSON Reflect Proxy Date RegExp Promise ' +
  'Map Set WeakMap WeakSet WeakRef FinalizationRegistry Iterator Error AggregateError EvalError RangeError ReferenceError SuppressedError ' +
  'SyntaxError TypeError URIError ArrayBuffer DataView Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array ' +
  'BigInt64Array BigUint64Array Float16Array Float32Array Float64Array DisposableStack AsyncDisposableStack eval isNaN isFinite parseInt ' +
  'parseFloat escape unescape decodeURI decodeURIComponent encodeURI encodeURIComponent ' +
  'structuredClone atob btoa DOMException URL URLSearchParams TextEncoder TextDecoder';

/** Turns the engine's global object into the one that programs see. Runs once, when the engine is built. */
export function installGlobals(): void {
  removeOthers();
  if (isQuickJs) sealBridge();
  else {
    lockBindings();
    completeUrl();
  }
  installErrors();
  installStacks();
  installEvaluation();
  installDate();
  installIntl();
  define('crypto', installRandom());
  define('performance', makePerformance());
  define('console', makeConsole());
  define('Event', Event);
  define('CustomEvent', CustomEvent);
  define('EventTarget', EventTarget);
  define('AbortController', AbortController);
  define('AbortSignal', AbortSignal);
  installTimers();
  installBase64();
}

function removeOthers(): void {
  const kept = new Set<PropertyKey>(KEPT.split(' '));
  for (const key of p.ownKeys(globalThis)) if (!kept.has(key) && !isBridge(key)) delete (globalThis as Record<PropertyKey, unknown>)[key];
}

/**
 * On SpiderMonkey the bindings live in another realm but take these methods from ours, and call them on all of linear memory: a program that
 * could replace them would get hold of it, or make the engine trap.
 */
function lockBindings(): void {
  const { TextEncoder, TextDecoder } = globalThis as unknown as Record<'TextEncoder' | 'TextDecoder', { prototype: object }>;
  lock(TextEncoder.prototype, 'encodeInto');
  lock(TextDecoder.prototype, 'decode');
  lock(ArrayBuffer.prototype, 'slice');
  lock(ArrayBuffer.prototype, 'constructor');
  p.defineProperty(ArrayBuffer, Symbol.species, { configurable: false });
}

function lock(owner: object, method: string): void {
  p.defineProperty(owner, method, { writable: false, configurable: false });
}

function define(name: string, value: unknown): void {
  // Bundling may have renamed what is called like a global.
  if (typeof value === 'function') p.defineProperty(value, 'name', { value: name, configurable: true });
  p.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
}

/** The engine's own, but with the error that the standard names. */
function installBase64(): void {
  const natives = globalThis as unknown as Record<'atob' | 'btoa', (data: string) => string> & {
    DOMException: new (message: string, name: string) => Error;
  };
  const { DOMException } = natives;
  const wrap = (name: 'atob' | 'btoa', native: (data: string) => string): void =>
    define(name, (data: unknown) => {
      const text = data as string;
      try {
        return native(text);
      } catch {
        throw new DOMException(
          `${name}: the text has a character that cannot be ${name === 'btoa' ? 'encoded' : 'decoded'}`,
          'InvalidCharacterError',
        );
      }
    });
  wrap('atob', natives.atob);
  wrap('btoa', natives.btoa);
}

function checked(callback: unknown, name: string): Callback {
  if (typeof callback !== 'function') throw new p.NativeTypeError(`${name}: the callback is not a function`);
  return callback as Callback;
}

function installTimers(): void {
  const globals = {
    setTimeout: (callback: unknown, delay?: unknown, ...args: unknown[]) => addTimer(checked(callback, 'setTimeout'), delay, args, false),
    setInterval: (callback: unknown, delay?: unknown, ...args: unknown[]) => addTimer(checked(callback, 'setInterval'), delay, args, true),
    setImmediate: (callback: unknown, ...args: unknown[]) => addImmediate(checked(callback, 'setImmediate'), args),
    clearTimeout: (id?: unknown) => cancelTimer(id),
    clearInterval: (id?: unknown) => cancelTimer(id),
    clearImmediate: (id?: unknown) => cancelTimer(id),
    queueMicrotask: (callback: unknown) => queue(checked(callback, 'queueMicrotask')),
  };
  for (const [name, value] of Object.entries(globals)) define(name, value);
}

/** A microtask's throw is uncaught, as a timer's is: it ends the run. An async function keeps `then` out of it. */
function queue(callback: Callback): void {
  void runLater(callback);
}

async function runLater(callback: Callback): Promise<void> {
  // oxlint-disable-next-line typescript/await-thenable -- the turn is what it is for
  await undefined;
  try {
    p.apply(callback, undefined, []);
  } catch (thrown) {
    end(failureOf(thrown));
  }
}
