import { fileURLToPath } from 'node:url';
import { HEAD, type Made } from './bundle-form.ts';
import { withEdits } from './edited-bundle.ts';
import { bundleTrusted } from './esbuild.ts';

const NAMES = /\b(?:Temporal|toTemporalInstant)\b/u;
const ENTRY = fileURLToPath(new URL('../../host-functions/guest/temporal.ts', import.meta.url));

let installer: Promise<string> | undefined;

/**
 * A program that names `Temporal` gets it, from a library that its script begins with: the engines do not have it, and in their image it
 * would cost every program. Positions stay those of the agent's text.
 */
export async function withTemporal(made: Made): Promise<Made> {
  const { script } = made.bundle;
  if (!NAMES.test(script) || !script.startsWith(HEAD)) return made;
  installer ??= bundleTrusted(ENTRY, { bare: true, oneLine: true });
  const text = (await installer).trim();
  return withEdits(made, [{ start: HEAD.length, end: HEAD.length, text: text.endsWith(';') ? text : `${text};` }]);
}
