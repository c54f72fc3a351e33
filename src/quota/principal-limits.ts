import type { PrincipalEntry, Principals } from '../config/principals-schema.ts';
import { compilePrincipals, principalKey, type PrincipalMatches } from '../principal-globs.ts';

/** What a principal may use; a name of a key of `principals`. */
export type QuotaName = 'runsPerMinute' | 'concurrentRuns' | 'fuelPerHour' | 'toolCallsPerMinute';

/** A limit of one principal. */
export interface QuotaLimit {
  readonly value: number;
  /** Where the operator wrote it. */
  readonly key: string;
}

/** The limits of one principal; what is absent is unlimited. */
export type PrincipalLimits = { readonly [name in QuotaName]?: QuotaLimit };

const NAMES: readonly QuotaName[] = ['runsPerMinute', 'concurrentRuns', 'fuelPerHour', 'toolCallsPerMinute'];
/** Who needs no protection from others: everybody there is comes from this machine. */
const LOCAL = 'local';
/**
 * For whoever has a name, unless the operator says otherwise. Runs that wait hold memory, which all share, so nobody gets all of it;
 * how much work a principal may do in a time nobody but the operator can know.
 */
const DEFAULT_CONCURRENT_RUNS = 100;

/** Finds the limits of principals. For each key the most specific entry that has it counts; of several equally specific ones the lowest. */
export function createPrincipalLimits(principals: Principals): (principal: string) => PrincipalLimits {
  const matching = compilePrincipals(principals);
  return (principal) => {
    const matches = matching(principal);
    const found: { -readonly [name in QuotaName]?: QuotaLimit } = {};
    for (const name of NAMES) {
      const limit = limitFrom(matches, name) ?? builtIn(principal, name);
      if (limit !== undefined && limit.value !== Infinity) found[name] = limit;
    }
    return found;
  };
}

function builtIn(principal: string, name: QuotaName): QuotaLimit | undefined {
  if (name !== 'concurrentRuns' || principal === LOCAL) return undefined;
  return { value: DEFAULT_CONCURRENT_RUNS, key: `the default of ${principalKey('*', name)}` };
}

function limitFrom(matches: PrincipalMatches<PrincipalEntry>, name: QuotaName): QuotaLimit | undefined {
  for (const equal of matches) {
    const [lowest] = equal
      .flatMap(({ glob, value }) => {
        const set = value[name];
        return set === undefined ? [] : [{ value: set === 'unlimited' ? Infinity : set, key: principalKey(glob, name) }];
      })
      .sort((a, b) => a.value - b.value);
    if (lowest !== undefined) return lowest;
  }
  return undefined;
}
