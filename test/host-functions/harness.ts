import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inject } from 'vitest';
import { GuestCatchable, type HostFunctions } from '../../src/engine/abi/core-host.ts';
import type { GuestExports } from '../../src/engine/abi/core-guest.ts';
import type { EngineFiles } from '../../src/engine/engine-files.ts';
import { createEngineInstance } from '../../src/execute/worker/engine-instance.ts';

/** The guest runtime in instances of the suite's engine, and real programs in it. */

const PAGE_LIMIT = 2048;

export interface Ending {
  status: 'completed' | 'failed';
  code?: string;
  name?: string;
  message?: string;
  stack?: string;
  hint?: string;
}

export interface Status {
  running: number;
  nextTimer: number | null;
  ending: Ending | null;
}

export interface Run {
  ending: Ending | null;
  status: Status;
  /** Parsed, undefined for none. */
  result: unknown;
  /** As text, "" for unchanged. */
  state: string;
  logs: { level: string; message: string }[];
  calls: { server: string; tool: string; args: string }[];
}

export interface RunSetup {
  input?: unknown;
  state?: string;
  now?: number;
  seed?: string;
  limits?: Record<string, number>;
  files?: Record<string, Uint8Array | string>;
  /** The answer to a call as JSON text of `{ ok }` or `{ error }`; undefined leaves it open. */
  answer?(server: string, tool: string, args: string): unknown;
  /** Does not add `return (async () => {...})()` around the program. */
  raw?: boolean;
}

export interface Engine {
  fresh(host: HostFunctions): GuestExports;
}

/** The suite's engine, or another. Every instance has plenty of fuel and 128 MiB of memory, so that a test of memory's end is quick. */
export async function openEngine(files: EngineFiles = inject('engine')): Promise<Engine> {
  const { directory, plan, modules: names } = files;
  const modules = await Promise.all(
    names.map(async (name) => [name, new WebAssembly.Module(await readFile(join(directory, name)))] as const),
  );
  const engine = { plan, modules: new Map(modules) };
  return {
    fresh(host) {
      const instance = createEngineInstance(engine);
      instance.host = host;
      const pages = instance.memory.buffer.byteLength / 65_536;
      instance.meter.begin({ fuel: 1e15, pages, maximumPages: PAGE_LIMIT, activeMs: 600_000, interrupt: new Int32Array(1) });
      return instance.guest;
    },
  };
}

/** The script that the bundler would make of a program that is the body of an async function. */
export function scriptOf(code: string): string {
  return `return (async () => {\n${code}\n})();\n//# sourceURL=program.js`;
}

/** Runs a program to its end, or until nothing is left that could go on. Virtual time: each timer is due at once. */
export function runProgram(engine: Engine, code: string, setup: RunSetup = {}): Run {
  const logs: Run['logs'] = [];
  const calls: Run['calls'] = [];
  const answers: { number: number; text: string }[] = [];
  const guest = engine.fresh({
    callTool(server: string, tool: string, args: string) {
      const number = calls.push({ server, tool, args });
      const answer = setup.answer?.(server, tool, args);
      if (answer !== undefined) answers.push({ number, text: JSON.stringify(answer) });
      return number;
    },
    readFile(path: string) {
      const file = setup.files?.[path];
      if (file === undefined) {
        throw new GuestCatchable(JSON.stringify({ code: 'ERR_FILE_NOT_FOUND', message: `no file ${path}`, hint: 'look again' }));
      }
      return typeof file === 'string' ? new TextEncoder().encode(file) : file;
    },
    getState: () => setup.state ?? '{}',
    log: (level: string, message: string) => void logs.push({ level, message }),
  });
  const refused = guest.load(setup.raw === true ? `${code}\n//# sourceURL=program.js` : scriptOf(code));
  if (refused !== '') throw new Error(refused);
  const limits = { maxResultBytes: 1 << 20, maxStateBytes: 1 << 20, maxLogBytes: 65_536, maxToolArgumentBytes: 1 << 20, ...setup.limits };
  let now = setup.now ?? 1_700_000_000_000;
  guest.start(JSON.stringify(setup.input ?? null), JSON.stringify({ now, seed: setup.seed ?? '00'.repeat(32), ...limits }));
  for (let turn = 0; turn < 10_000; turn++) {
    const [text, result = '', state = ''] = guest.status();
    const status = JSON.parse(text!) as Status;
    const isStuck = answers.length === 0 && status.nextTimer === null;
    if (status.ending !== null || isStuck) {
      return { ending: status.ending, status, result: result === '' ? undefined : JSON.parse(result), state, logs, calls };
    }
    const due = answers.splice(0);
    if (due.length === 0) now = Math.max(now, status.nextTimer!);
    guest.resume(
      now,
      Uint32Array.from(due, (answer) => answer.number),
      due.map((answer) => answer.text),
    );
  }
  throw new Error('the program made 10,000 turns');
}
