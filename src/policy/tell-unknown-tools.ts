import type { Policies } from '../config/policy-schema.ts';
import type { Upstreams } from '../upstream/upstreams.ts';
import { unknownTools } from './unknown-tools.ts';

/**
 * Tells the operator of policies that name tools which there are not: now, and when tools change. Nothing is told twice as long as it stays so.
 * @returns what stops it
 */
export function tellUnknownTools(
  policies: Policies,
  upstreams: Pick<Upstreams, 'catalog' | 'onChange'>,
  warn: (message: string) => void,
): () => void {
  let told = new Set<string>();
  const look = (): void => {
    const found = unknownTools(policies, upstreams.catalog());
    for (const message of found) if (!told.has(message)) warn(message);
    told = new Set(found);
  };
  look();
  return upstreams.onChange(look);
}
