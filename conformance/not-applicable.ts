import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Ended, Failure, Revision, Side } from './suite.ts';

const PAGE = fileURLToPath(new URL('../docs/conformance.md', import.meta.url));

/** A scenario, a group of them (`tasks-*`) or one check that has no subject here, and why: a row of `docs/conformance.md`. */
export interface Row {
  readonly side: Side;
  readonly name: string;
  readonly revisions: readonly string[];
}

/** The page is the list: what stands there is what is let pass. */
export async function readRows(): Promise<Row[]> {
  const lines = (await readFile(PAGE, 'utf8')).matchAll(/^\| (server|client) \| `([^`]+)` \| ([^|]+) \| [^|]+ \|$/gm);
  return [...lines].map(([, side, name = '', revisions = '']) => ({ side: side as Side, name, revisions: revisions.trim().split(', ') }));
}

export interface Verdict {
  readonly passed: number;
  /** Scenarios of which everything that failed is listed. */
  readonly listed: number;
  /** What failed and is not listed. */
  readonly faults: readonly Failure[];
  /** Rows of things that do not fail any more. */
  readonly stale: readonly string[];
}

/** Holds what a suite found against the list. */
export function judge(ended: readonly Ended[], rows: readonly Row[], side: Side, revision: Revision): Verdict {
  const names = rows.filter((row) => row.side === side && row.revisions.includes(revision)).map(({ name }) => name);
  const used = new Set<string>();
  const isListed = ({ scenario, check }: Failure): boolean => {
    const found = names.filter(
      (name) => name === check || name === scenario || (name.endsWith('*') && scenario.startsWith(name.slice(0, -1))),
    );
    for (const name of found) used.add(name);
    return found.length > 0;
  };
  const faults = ended.flatMap(({ failures }) => failures.filter((failure) => !isListed(failure)));
  return {
    passed: ended.filter(({ failures }) => failures.length === 0).length,
    listed: ended.filter(({ failures }) => failures.length > 0 && failures.every(isListed)).length,
    faults,
    stale: names.filter((name) => !used.has(name)),
  };
}
