import type { Made } from './bundle-form.ts';
import { withEdits } from './edited-bundle.ts';
import type { Scanner } from './scanner.ts';
import { scanBudget } from './source-findings.ts';

/** What only an engine without the tables of Unicode cannot load: `\p{...}` and the flag `v`. Division looks like the latter, too. */
const MAY_NEED_PORT = /\\[pP]\{|\/[dgimsy]*v/u;

/**
 * A bundle whose regular expressions StarlingMonkey can load, too: it is built without ICU. Those that `new RegExp` makes from text stay
 * what they are, and throw.
 * @throws SandboxError ERR_BUNDLE_FAILED
 */
export async function portBundle(made: Made, scanner: Scanner, timeoutMs: number): Promise<Made> {
  const { script } = made.bundle;
  return MAY_NEED_PORT.test(script) ? withEdits(made, await scanner.portRegExps(script, scanBudget(script, timeoutMs))) : made;
}
