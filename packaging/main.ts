import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makePackage } from './make-package.ts';

await makePackage(process.argv[2] ?? join(fileURLToPath(new URL('..', import.meta.url)), 'dist'));
