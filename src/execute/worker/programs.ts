import type { Delta } from '../../component/delta.ts';
import { createImage, type Image } from '../../component/image.ts';
import { MemoryCache } from '../../component/memory-cache.ts';
import { decodeProgram, encodeProgram } from '../../component/program-file.ts';
import { takeDelta } from '../../component/take-delta.ts';
import { LIMITS } from '../../limits.ts';
import type { EngineInstance } from './engine-instance.ts';
import { endOfBrokenCall } from './guest-failure.ts';
import type { MeterBudget } from './meter-control.ts';
import type { InstancePool } from './instance-pool.ts';
import type { RunEnd } from '../run.ts';
import type { MakeResult, MakeTask, WorkerTask } from '../worker-protocol.ts';

/** Images of programs that this worker ran lately. Most of an image is shared with the engine's own. */
const IMAGE_CACHE_BYTES = 64 * 1024 * 1024;
const PAGES_PER_MIB = 16;

/** A program ready to run: its image, and an instance that is at it. */
export interface LoadedProgram {
  readonly instance: EngineInstance;
  readonly image: Image;
  readonly cache: 'hit' | 'miss';
  /** Encodes the program, when it was made just now. Its run need not wait for that. */
  readonly encode?: () => Uint8Array;
}

type FreshProgram = LoadedProgram & { readonly encode: () => Uint8Array };
type FailedLoad = Extract<RunEnd, { status: 'failed' }>;

/** The programs of one worker: from its own images, from an encoded program, or made by loading the bundle. */
export class Programs {
  readonly #pool: InstancePool;
  readonly #base: Uint8Array;
  readonly #images = new MemoryCache<Image>(IMAGE_CACHE_BYTES, (image) => image.ownBytes);

  constructor(pool: InstancePool, base: Uint8Array) {
    this.#pool = pool;
    this.#base = base;
  }

  /** @returns the program, or how loading it failed. @throws SandboxError ERR_COMPONENT_DAMAGED */
  load(task: WorkerTask): LoadedProgram | FailedLoad {
    const image = this.#images.get(task.key) ?? this.#decode(task);
    if (image) return { instance: this.#pool.take(image), image, cache: 'hit' };
    return this.#make(task.key, task.script ?? '', task.interrupt, LOAD_BUDGET);
  }

  /** The encoded program of a bundle, or why the engine refused it. */
  make({ key, script, ahead }: MakeTask): MakeResult {
    const loaded = this.#make(key, script, new Int32Array(1), ahead === true ? AHEAD_BUDGET : LOAD_BUDGET);
    if ('status' in loaded) return loaded;
    this.#pool.release(loaded.instance, loaded.image);
    return loaded.encode();
  }

  #decode({ key, program }: WorkerTask): Image | undefined {
    return program && this.#keep(key, decodeProgram(program, key));
  }

  #keep(key: string, delta: Delta): Image {
    const image = createImage(this.#base, delta);
    this.#images.set(key, image);
    return image;
  }

  /** Componentizes: loads the bundle under the meter and keeps what that changed in memory. */
  #make(key: string, script: string, interrupt: Int32Array, budget: LoadBudget): FreshProgram | FailedLoad {
    const instance = this.#pool.take();
    const failure = loadBundle(instance, script, this.#base.length, interrupt, budget);
    if (failure) {
      this.#pool.discard(instance);
      return failure;
    }
    try {
      return this.#loaded(instance, key);
    } catch (error) {
      this.#pool.discard(instance);
      throw error;
    }
  }

  #loaded(instance: EngineInstance, key: string): FreshProgram {
    const { pages } = instance.meter;
    const delta = takeDelta(new Uint8Array(instance.memory.buffer), this.#base, pages);
    // The instance is at the program's image now: the run goes on in it.
    return { instance, image: this.#keep(key, delta), cache: 'miss', encode: () => encodeProgram(key, delta) };
  }
}

type LoadBudget = Pick<MeterBudget, 'fuel' | 'activeMs'>;

/** Loading has the default limits of a run, whatever the caller's are: a program is the same for everybody. */
const LOAD_BUDGET: LoadBudget = { fuel: LIMITS.fuel.default, activeMs: LIMITS.timeoutMs.default };
/** What is made before its check has passed may be for nothing. Half a megabyte of library takes less. */
const AHEAD_BUDGET: LoadBudget = { fuel: LIMITS.fuel.default, activeMs: 150 };

function loadBundle(
  instance: EngineInstance,
  script: string,
  baseBytes: number,
  interrupt: Int32Array,
  budget: LoadBudget,
): FailedLoad | undefined {
  instance.meter.begin({
    ...budget,
    pages: baseBytes / 65_536,
    maximumPages: LIMITS.memoryMb.default * PAGES_PER_MIB,
    interrupt,
  });
  try {
    const refusal = instance.meter.active(() => instance.guest.load(script));
    return refusal === '' ? undefined : refusedBundle(refusal);
  } catch (thrown) {
    return endOfBrokenCall(thrown, instance);
  }
}

function refusedBundle(refusal: string): FailedLoad {
  const { name, message, stack } = JSON.parse(refusal.slice(0, 65_536)) as { name: string; message: string; stack: string };
  return { status: 'failed', code: 'ERR_COMPONENT_LOAD', name, message, stack };
}
