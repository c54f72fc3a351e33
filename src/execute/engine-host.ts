import { readFile } from 'node:fs/promises';
import { createEngineInstance } from './engine-instance.ts';
import type { InitCommand } from './executor-protocol.ts';
import { warmUp } from './warm-up.ts';
import type { WorkerSetup } from './worker-protocol.ts';

/** Compiles the engine once for this process and takes its memory image, both to be shared by all workers. */
export async function compileEngine({ plan, modules: paths, mounts }: InitCommand): Promise<WorkerSetup> {
  const compiled = Object.entries(paths).map(async ([name, path]) => [name, await WebAssembly.compile(await readFile(path))] as const);
  const modules = new Map(await Promise.all(compiled));
  const instance = createEngineInstance({ plan, modules });
  const { memory } = instance;
  const base = new Uint8Array(new SharedArrayBuffer(memory.buffer.byteLength));
  base.set(new Uint8Array(memory.buffer));
  warmUp(instance);
  return { plan, modules, base, mounts: new Map(Object.entries(mounts)) };
}
