import { createImage, restoreImage, type Image } from '../component/image.ts';
import { createEngineInstance, disconnectHost, type CompiledEngine, type EngineInstance } from './engine-instance.ts';

/** Looking through more than this before each run costs more than a new instance, and keeps memory that few runs need. */
const KEEP_GROWTH_PAGES = 128;
/** Instances made ahead: the run after one that was stopped must not wait for a new one. */
const AHEAD = 2;
const PREPARE_AFTER_MS = 20;
/** Linear memory of dropped instances that may wait for the garbage collector, in pages: 128 MiB. */
const MAX_GARBAGE_PAGES = 2_048;
const PAGE_BYTES = 65_536;

/** The instances of one worker: taken for a run, put back after it, thrown away when a run broke or bloated them. */
export class InstancePool {
  readonly #engine: CompiledEngine;
  readonly #baseImage: Image;
  readonly #maximumIdle: number;
  readonly #idle: EngineInstance[] = [];
  #garbagePages = 0;

  /** @param base the engine's own memory image; it must not change. */
  constructor(engine: CompiledEngine, base: Uint8Array, maximumIdle: number) {
    this.#engine = engine;
    this.#baseImage = createImage(base, null);
    this.#maximumIdle = maximumIdle;
  }

  /** An instance whose memory is byte for byte the program's image, or the engine's own when none is given. */
  take(image: Image = this.#baseImage): EngineInstance {
    const instance = this.#idle.pop() ?? createEngineInstance(this.#engine);
    growTo(instance, image.pages);
    // All of physical memory, whatever its virtual size was: not even a broken engine leaves anything for the next run.
    restoreImage(new Uint8Array(instance.memory.buffer), image);
    return instance;
  }

  /** Takes an instance back at an export boundary. Its memory is restored when it is taken again. */
  release(instance: EngineInstance): void {
    disconnectHost(instance);
    const bloated = physicalPages(instance) > this.#baseImage.pages + KEEP_GROWTH_PAGES;
    if (!bloated && this.#idle.length < this.#maximumIdle) this.#idle.push(instance);
    else this.#drop(instance);
  }

  /** Lets go of an instance that was stopped in the middle of a call: memory alone does not describe it any more. */
  discard(instance: EngineInstance): void {
    disconnectHost(instance);
    this.#drop(instance);
  }

  /** The collector sees a small object and not its 256 MiB: without being asked it lets gigabytes of them lie about. */
  #drop(instance: EngineInstance): void {
    this.#garbagePages += physicalPages(instance);
    if (this.#garbagePages >= MAX_GARBAGE_PAGES) {
      this.#garbagePages = 0;
      // Only when the run that held the instance is over does nothing refer to it any more.
      setImmediate(() => globalThis.gc?.());
    }
    this.prepare();
  }

  /** Makes instances ahead, one at a time, and not while the next run may come in at once. */
  prepare(): void {
    if (this.#idle.length >= AHEAD) return;
    const timer = setTimeout(() => {
      if (this.#idle.length >= AHEAD) return;
      try {
        this.#idle.push(createEngineInstance(this.#engine));
      } catch {
        // No memory for one now: the run that needs it will hear so, and the others of this worker must not.
        return;
      }
      this.prepare();
    }, PREPARE_AFTER_MS);
    timer.unref();
  }
}

function growTo(instance: EngineInstance, pages: number): void {
  const missing = pages - physicalPages(instance);
  if (missing > 0) instance.memory.grow(missing);
}

function physicalPages({ memory }: EngineInstance): number {
  return memory.buffer.byteLength / PAGE_BYTES;
}
