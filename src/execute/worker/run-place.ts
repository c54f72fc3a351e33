import type { Image } from '../../component/image.ts';
import type { EngineInstance } from './engine-instance.ts';
import type { Spent } from './run-state.ts';

/** What a run stands on. */
export interface RunPlace {
  /** Its memory is the program's image. */
  readonly instance: EngineInstance;
  readonly image: Image;
  /** Virtual mount name to absolute folder. */
  readonly mounts: ReadonlyMap<string, string>;
  /** What the run's time went into until now, to be carried along when it leaves. */
  readonly spent: () => Spent;
}
