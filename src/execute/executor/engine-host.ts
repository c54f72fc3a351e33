import type { LinkPlan } from '../../engine/abi/link-plan.ts';
import { createEngineInstance } from '../worker/engine-instance.ts';
import type { EngineModules } from '../engine-modules.ts';
import { warmUp } from './warm-up.ts';
import type { WorkerSetup } from '../worker-protocol.ts';

export interface EngineSource {
  readonly plan: LinkPlan;
  readonly modules: EngineModules;
  /** Virtual mount name to absolute folder. */
  readonly mounts: Readonly<Record<string, string>>;
}

/** Compiles the engine once for this process and takes its memory image, both to be shared by all workers. */
export async function compileEngine({ plan, modules: files, mounts }: EngineSource): Promise<WorkerSetup> {
  const compiled = [...files].map(async ([name, bytes]) => [name, await WebAssembly.compile(Uint8Array.from(bytes))] as const);
  const modules = new Map(await Promise.all(compiled));
  const instance = createEngineInstance({ plan, modules });
  const { memory } = instance;
  const base = new Uint8Array(new SharedArrayBuffer(memory.buffer.byteLength));
  base.set(new Uint8Array(memory.buffer));
  warmUp(instance);
  return { plan, modules, base, mounts: new Map(Object.entries(mounts)) };
}
