import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { transpile } from '@bytecodealliance/jco';
import { LIMITS } from '../../src/limits.ts';

/** A host that has nothing of ours: a component, jco's output, and four plain functions. */
export interface PlainRun {
  readonly input?: unknown;
  readonly state?: object;
  readonly now: number;
  readonly seed: string;
  readonly answer?: (server: string, tool: string, args: unknown) => unknown;
}

export interface PlainOutcome {
  readonly ending: { readonly status: string; readonly code?: string; readonly message?: string };
  readonly result: unknown;
  readonly state: unknown;
  readonly logs: readonly string[];
}

/** Transpiles a component with jco alone, in `directory`, and drives it to its end as `host-functions/world.wit` says. */
export async function runComponent(component: Uint8Array, directory: string, run: PlainRun): Promise<PlainOutcome> {
  const begun: { number: number; server: string; tool: string; args: unknown }[] = [];
  const logs: string[] = [];
  let calls = 0;
  const guest = await instantiate(component, directory, {
    callTool: (server: string, tool: string, args: string) => {
      begun.push({ number: ++calls, server, tool, args: JSON.parse(args) });
      return calls;
    },
    readFile: () => {
      throw Object.assign(new Error('no files here'), { payload: '{"code":"ERR_FILE_NOT_FOUND","message":"no files here"}' });
    },
    getState: () => JSON.stringify(run.state ?? {}),
    log: (level: string, message: string) => void logs.push(`${level} ${message}`),
  });
  const limits = Object.fromEntries(
    (['maxResultBytes', 'maxStateBytes', 'maxLogBytes', 'maxToolArgumentBytes'] as const).map((name) => [name, LIMITS[name].default]),
  );
  await guest.start(JSON.stringify(run.input ?? null), JSON.stringify({ now: run.now, seed: run.seed, ...limits }));
  let now = run.now;
  for (let turns = 0; turns < 1_000; turns++) {
    const [text = '', result = '', state = ''] = await guest.status();
    const { nextTimer, ending } = JSON.parse(text) as { nextTimer: number | null; ending: PlainOutcome['ending'] | null };
    if (ending) return { ending, result: parse(result), state: parse(state), logs };
    const answered = begun.splice(0);
    if (answered.length === 0) now = nextTimer ?? now;
    const answers = answered.map(({ server, tool, args }) => JSON.stringify({ ok: run.answer?.(server, tool, args) ?? null }));
    await guest.resume(
      now,
      Uint32Array.from(answered, ({ number }) => number),
      answers,
    );
  }
  throw new Error('the program did not come to an end');
}

/** What jco's glue offers: some engines lift these as async functions. */
interface ProgramExports {
  start(input: string, options: string): void | Promise<void>;
  resume(now: number, calls: Uint32Array, answers: string[]): void | Promise<void>;
  status(): string[] | Promise<string[]>;
}

interface Glue {
  instantiate(core: (name: string) => WebAssembly.Module, imports: object, make: typeof instantiateCore): ProgramExports;
}

const instantiateCore = (module: WebAssembly.Module, imports?: WebAssembly.Imports): WebAssembly.Instance =>
  new WebAssembly.Instance(module, imports);

async function instantiate(component: Uint8Array, directory: string, host: object): Promise<ProgramExports> {
  const { files } = await transpile(component, { name: 'program', instantiation: 'sync', noTypescript: true, optimize: false });
  const wasm = new Map(Object.entries(files));
  const glue = join(directory, `${randomUUID()}.mjs`);
  await writeFile(glue, wasm.get('program.js') ?? '');
  const program = (await import(/* @vite-ignore */ pathToFileURL(glue).href)) as Glue;
  return program.instantiate(
    (name) => new WebAssembly.Module(wasm.get(name) ?? new Uint8Array()),
    { 'ampoule:sandbox/host': host },
    instantiateCore,
  );
}

function parse(text: string): unknown {
  return text === '' ? undefined : JSON.parse(text);
}
