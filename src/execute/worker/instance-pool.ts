import { createImage, restoreImage, switchImage, type Image } from '../../component/image.ts';
import type { CompiledEngine } from '../../engine/abi/link-engine.ts';
import { createEngineInstance, disconnectHost, type EngineInstance } from './engine-instance.ts';

/** Looking through more than this before each run costs more than a new instance, and keeps memory that few runs need. */
const KEEP_GROWTH_PAGES = 128;
/** Instances made ahead: the run after one that was stopped must not wait for a new one. */
const AHEAD = 2;
const PREPARE_AFTER_MS = 20;
/** Linear memory of dropped instances that may wait for the garbage collector, in pages: 128 MiB. */
const MAX_GARBAGE_PAGES = 2_048;
/** A worker that has taken no instance for so long gives back what a burst has left, in milliseconds. */
const REST_AFTER_MS = 1_500;
/** Idle instances that a worker at rest keeps: those made ahead, and two at the images of what ran last. */
const KEEP_AT_REST = 4;
const PAGE_BYTES = 65_536;

interface Idle {
  readonly instance: EngineInstance;
  /** The image that its memory is at; undefined when it has to be restored. */
  at: Image | undefined;
}

/** The instances of one worker: taken for a run, put back after it, thrown away when a run broke or bloated them. */
export class InstancePool {
  readonly #engine: CompiledEngine;
  readonly #baseImage: Image;
  readonly #maximumIdle: number;
  readonly #idle: Idle[] = [];
  #taken = 0;
  #takenAt = 0;
  #garbagePages = 0;
  #rest: NodeJS.Timeout | undefined;

  /** @param base the engine's own memory image; it must not change. */
  constructor(engine: CompiledEngine, base: Uint8Array, maximumIdle: number) {
    this.#engine = engine;
    this.#baseImage = createImage(base, null);
    this.#maximumIdle = maximumIdle;
  }

  /** An instance whose memory is byte for byte the program's image, or the engine's own when none is given. */
  take(image: Image = this.#baseImage): EngineInstance {
    const { instance, at } = this.#pick(image) ?? { instance: createEngineInstance(this.#engine), at: this.#baseImage };
    if (at === undefined) restore(instance, image);
    else if (at !== image) move(instance, at, image);
    this.#taken++;
    this.#takenAt = performance.now();
    return instance;
  }

  /** Best an instance that is at the image already, then one at another image, which is near; one that has to be restored is last. */
  #pick(image: Image): Idle | undefined {
    const isThere = this.#idle.findLastIndex(({ at }) => at === image);
    const isKnown = isThere >= 0 ? isThere : this.#idle.findLastIndex(({ at }) => at !== undefined);
    return this.#idle.splice(isKnown >= 0 ? isKnown : this.#idle.length - 1, 1)[0];
  }

  /**
   * Takes an instance back at an export boundary. While the worker has nothing to do its memory is restored, so that the next run
   * does not wait for that: to the engine's image if no other instance is there for a new program, else to `image` again.
   */
  release(instance: EngineInstance, image: Image = this.#baseImage): void {
    disconnectHost(instance);
    this.#taken--;
    this.#restSoon();
    const bloated = physicalPages(instance) > this.#baseImage.pages + KEEP_GROWTH_PAGES;
    if (bloated || this.#idle.length >= this.#maximumIdle) return this.#drop(instance);
    const idle: Idle = { instance, at: undefined };
    this.#idle.push(idle);
    setImmediate(() => this.#tidy(idle, image));
    return undefined;
  }

  #tidy(idle: Idle, image: Image): void {
    // A busy worker restores for the run that is there, not for one that may come.
    if (this.#taken > 0 || !this.#idle.includes(idle)) return;
    const target = this.#idle.some(({ at }) => at === this.#baseImage) ? image : this.#baseImage;
    restore(idle.instance, target);
    idle.at = target;
  }

  /** Lets go of an instance that was stopped in the middle of a call: memory alone does not describe it any more. */
  discard(instance: EngineInstance): void {
    disconnectHost(instance);
    this.#taken--;
    this.#restSoon();
    this.#drop(instance);
  }

  #restSoon(): void {
    if (this.#rest) return;
    this.#rest = setTimeout(() => this.#lieDown(), REST_AFTER_MS).unref();
  }

  /** Runs that only wait hold instances of their own: they are no reason to keep others for. */
  #lieDown(): void {
    this.#rest = undefined;
    const idle = performance.now() - this.#takenAt;
    if (idle < REST_AFTER_MS) return this.#restSoon();
    for (const { instance } of this.#idle.splice(0, this.#idle.length - KEEP_AT_REST)) this.#garbagePages += physicalPages(instance);
    if (this.#garbagePages > 0) this.#collect();
    return undefined;
  }

  /** The collector sees a small object and not its 256 MiB: without being asked it lets gigabytes of them lie about. */
  #drop(instance: EngineInstance): void {
    this.#garbagePages += physicalPages(instance);
    if (this.#garbagePages >= MAX_GARBAGE_PAGES) this.#collect();
    this.prepare();
  }

  #collect(): void {
    this.#garbagePages = 0;
    // Only when the run that held the instance is over does nothing refer to it any more.
    setImmediate(() => globalThis.gc?.());
  }

  /** Makes instances ahead, one at a time, and not while the next run may come in at once. */
  prepare(): void {
    if (this.#idle.length >= AHEAD) return;
    const timer = setTimeout(() => {
      if (this.#idle.length >= AHEAD) return;
      try {
        this.#idle.push({ instance: createEngineInstance(this.#engine), at: this.#baseImage });
      } catch {
        // No memory for one now: the run that needs it will hear so, and the others of this worker must not.
        return;
      }
      this.prepare();
    }, PREPARE_AFTER_MS);
    timer.unref();
  }
}

/** All of physical memory, whatever its virtual size was: not even a broken engine leaves anything for the next run. */
function restore(instance: EngineInstance, image: Image): void {
  growTo(instance, image.pages);
  restoreImage(new Uint8Array(instance.memory.buffer), image);
}

/** From one image to another, where no guest has run in between. */
function move(instance: EngineInstance, from: Image, to: Image): void {
  growTo(instance, to.pages);
  switchImage(new Uint8Array(instance.memory.buffer), from, to);
}

function growTo(instance: EngineInstance, pages: number): void {
  const missing = pages - physicalPages(instance);
  if (missing > 0) instance.memory.grow(missing);
}

function physicalPages({ memory }: EngineInstance): number {
  return memory.buffer.byteLength / PAGE_BYTES;
}
