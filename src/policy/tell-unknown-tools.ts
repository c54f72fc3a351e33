import type { Policies } from '../config/policy-schema.ts';
import type { Upstreams } from '../upstream/upstreams.ts';
import { unknownTools } from './unknown-tools.ts';

/** Most that is told in one period of so many milliseconds: a server may change its tools all the time. */
const MAX_TOLD = 50;
const PERIOD_MS = 600_000;
const TOO_MANY = 'Tools change so often that more policies which name unknown tools are not told for some minutes.';

/**
 * Tells the operator of policies that name tools which there are not: now, and when tools change. Nothing is told twice as long as it stays so.
 * @returns what stops it
 */
export function tellUnknownTools(
  policies: Policies,
  upstreams: Pick<Upstreams, 'catalog' | 'onChange'>,
  warn: (message: string) => void,
  now: () => number = Date.now,
): () => void {
  let told = new Set<string>();
  let [began, count] = [now(), 0];
  const tell = (message: string): void => {
    if (now() - began >= PERIOD_MS) [began, count] = [now(), 0];
    count++;
    if (count <= MAX_TOLD) warn(message);
    else if (count === MAX_TOLD + 1) warn(TOO_MANY);
  };
  const look = (): void => {
    const found = unknownTools(policies, upstreams.catalog());
    for (const message of found) if (!told.has(message)) tell(message);
    told = new Set(found);
  };
  look();
  return upstreams.onChange(look);
}
