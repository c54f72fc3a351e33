import type { EngineFiles } from '../src/engine/engine-files.ts';
import type { EngineKind } from '../src/engine/recipe.ts';
import type { Findings } from './result.ts';
import { BOUND, type Patience } from './statistics.ts';

/** What every part of the suite gets. */
export interface Bench {
  readonly engine: EngineFiles;
  readonly engineKind: EngineKind;
  /** Where built engines are. */
  readonly cacheDirectory: string;
  readonly quick: boolean;
  /** So many times the usual time: more than 1 after the figures of the part have moved, less when the suite is late. */
  readonly longer: number;
  /** Says what is being measured now. */
  step(text: string): void;
}

/** A part of the suite that can be asked for by name. */
export interface Part {
  readonly name: string;
  readonly about: string;
  measure(bench: Bench): Promise<Findings>;
}

/** How long to go on with one figure. Quick runs take a quarter of the time. */
export function patience({ quick, longer }: Pick<Bench, 'quick' | 'longer'>, budgetMs: number): Patience {
  return { bound: BOUND, budgetMs: (quick ? budgetMs / 4 : budgetMs) * longer };
}
