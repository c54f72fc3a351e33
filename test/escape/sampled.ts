import { inject } from 'vitest';

/** All on the default engine; every third on the other one, which takes several times as long for each. */
export function sampled<T>(all: readonly T[]): readonly T[] {
  return inject('engineKind') === 'quickjs' ? all : all.filter((_, place) => place % 3 === 0);
}
