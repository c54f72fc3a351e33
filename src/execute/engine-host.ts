import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import type { EngineGlue } from '../engine/abi/link-engine.ts';
import { createEngineInstance } from './engine-instance.ts';
import type { InitCommand } from './executor-protocol.ts';
import { warmUp } from './warm-up.ts';
import type { WorkerSetup } from './worker-protocol.ts';

/** Compiles the engine once for this process and takes its memory image, both to be shared by all workers. */
export async function compileEngine(init: InitCommand): Promise<WorkerSetup> {
  const gluePath = pathToFileURL(init.gluePath).href;
  const [glue, modules] = await Promise.all([
    import(gluePath) as Promise<EngineGlue>,
    Promise.all(Object.entries(init.modules).map(async ([name, path]) => [name, await WebAssembly.compile(await readFile(path))] as const)),
  ]);
  const engine = { glue, modules: new Map(modules) };
  const instance = createEngineInstance(engine);
  const { memory } = instance;
  const base = new Uint8Array(new SharedArrayBuffer(memory.buffer.byteLength));
  base.set(new Uint8Array(memory.buffer));
  warmUp(instance);
  return { gluePath, modules: engine.modules, base, mounts: new Map(Object.entries(init.mounts)) };
}
