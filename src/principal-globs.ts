import { compileGlob } from './glob.ts';

/** What the operator wrote at a glob of principals. */
export interface PrincipalMatch<T> {
  readonly glob: string;
  readonly value: T;
}

/** Entries that match a principal, the most specific first. Those in one list are equally specific. */
export type PrincipalMatches<T> = readonly (readonly PrincipalMatch<T>[])[];

/**
 * Compiles entries by glob of principals. The id itself is the most specific, then the longest glob; several of the same length are
 * equally specific.
 */
export function compilePrincipals<T>(entries: Readonly<Record<string, T>>): (principal: string) => PrincipalMatches<T> {
  const compiled = Object.entries(entries).map(([glob, value]) => ({ glob, value, matches: compileGlob(glob) }));
  return (principal) => {
    const byLength = new Map<number, PrincipalMatch<T>[]>();
    for (const { glob, value, matches } of compiled) {
      if (glob !== principal && !matches(principal)) continue;
      const length = glob === principal ? Infinity : glob.length;
      byLength.set(length, [...(byLength.get(length) ?? []), { glob, value }]);
    }
    return [...byLength].sort(([a], [b]) => b - a).map(([, matches]) => matches);
  };
}

/** Where in the config file something stands: `principals["key:ci-*"].runsPerMinute`. */
export function principalKey(glob: string, key: string): string {
  return `principals[${JSON.stringify(glob)}].${key}`;
}
