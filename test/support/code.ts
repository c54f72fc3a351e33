import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';

export const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url)).replace(/[\\/]$/, '');
const built = inject('built');
/** The folder of `package.json` in the package that processes are started from. */
export const PACKAGE = built ?? CHECKOUT;
/** The folder of its `src`. */
export const CODE = built === undefined ? CHECKOUT : join(built, 'dist');
/** A file of its sources as processes load it, by its name without its extension. */
export const codeFile = (name: string): string => join(CODE, built === undefined ? `${name}.ts` : `${name}.js`);
