import type { BoundedText, GuestMemory } from './guest-memory.ts';

/** The guest contract of `host-functions/world.wit`. */
export interface GuestExports {
  load(script: string): string;
  start(input: string, options: string): void;
  /** An answer is JSON text, or the same as UTF-8. */
  resume(now: number, calls: ArrayLike<number>, answers: readonly (string | Uint8Array)[]): void;
  status(): string[];
  /** As `status`, with the most bytes that each text may have. A long one is not made a string. */
  boundedStatus(limits: readonly number[]): BoundedText[];
}

type CoreFunction = (...args: number[]) => number;

/** The most strings that `status` gives: see `world.wit`. */
export const STATUS_STRINGS = 3;

/** An async export that is through answers so (Component Model, canonical ABI: `CallbackCode.EXIT`). */
const EXIT = 0;

/**
 * The guest contract, called on the engine's core module. Engines lift `start` and `resume` either as plain functions or as
 * async ones with a callback; ours never wait for anything but their own promise jobs, so both are through when they return.
 *
 * By hand, because jco's glue takes as long for a call as a small program does.
 */
export function connectGuest(exports: WebAssembly.Exports, memory: GuestMemory): GuestExports {
  const load = coreFunction(exports, 'load');
  const freeLoad = coreFunction(exports, 'cabi_post_load');
  const call = (name: string): ((...args: number[]) => void) =>
    `[async-lift]${name}` in exports ? asyncExport(exports, name) : plainExport(exports, name);
  const start = call('start');
  const resume = call('resume');
  return {
    load(script) {
      const result = load(...memory.writeString(script));
      const refusal = memory.readStringAt(result);
      freeLoad(result);
      return refusal;
    },
    start(input, options) {
      const [inputAt, inputBytes] = memory.writeString(input);
      const [optionsAt, optionsBytes] = memory.writeString(options);
      start(inputAt, inputBytes, optionsAt, optionsBytes);
    },
    resume(now, calls, answers) {
      const texts = answers.flatMap((answer) => (typeof answer === 'string' ? memory.writeString(answer) : memory.writeBytes(answer)));
      const callsAt = memory.writeWords(calls);
      resume(now, callsAt, calls.length, memory.writeWords(texts), answers.length);
    },
    ...statusExports(exports, memory),
  };
}

function plainExport(exports: WebAssembly.Exports, name: string): (...args: number[]) => void {
  const call = coreFunction(exports, name);
  const post = exports[`cabi_post_${name}`] as CoreFunction | undefined;
  return (...args) => {
    call(...args);
    post?.();
  };
}

function asyncExport(exports: WebAssembly.Exports, name: string): (...args: number[]) => void {
  const call = coreFunction(exports, `[async-lift]${name}`);
  return (...args) => {
    if (call(...args) !== EXIT) throw new TypeError(`the engine's ${name} waits for the host, which it never has to`);
  };
}

function statusExports(exports: WebAssembly.Exports, memory: GuestMemory): Pick<GuestExports, 'status' | 'boundedStatus'> {
  const status = coreFunction(exports, 'status');
  const free = coreFunction(exports, 'cabi_post_status');
  const read = <T>(take: (result: number) => T): T => {
    const result = status();
    const texts = take(result);
    free(result);
    return texts;
  };
  return {
    status: () => read((result) => memory.readStringsAt(result, STATUS_STRINGS)),
    boundedStatus: (limits) => read((result) => memory.readBoundedTextsAt(result, limits)),
  };
}

function coreFunction(exports: WebAssembly.Exports, name: string): CoreFunction {
  const found = exports[name];
  if (typeof found !== 'function') throw new TypeError(`the engine has no export ${name}`);
  return found as CoreFunction;
}
