import { codeAccess } from '../read-access.ts';

/** What the executor's code imports: a package that is not named here cannot be loaded in it. */
const SOURCES = { folders: ['src', 'host-functions'], packages: ['blake3', 'piscina', 'zod'] };
/** Built, it is a file for each kind of thread, with all in it that can be: see `packaging/make-package.ts`. */
const BUILT = { folders: ['src/execute/executor', 'src/execute/worker'], packages: ['blake3', 'piscina'] };

/** Flags that let the executor and its workers read their code: ours, and these packages. */
export const CODE_ACCESS: readonly string[] = codeAccess(import.meta.url.endsWith('.ts') ? SOURCES : BUILT);
