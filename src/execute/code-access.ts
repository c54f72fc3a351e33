import { codeAccess } from '../read-access.ts';

/** What the executor's code imports: a package that is not named here cannot be loaded in it. */
const PACKAGES = ['blake3', 'piscina', 'zod'];

/** Flags that let the executor and its workers read their code: ours, and these packages. */
export const CODE_ACCESS: readonly string[] = codeAccess({ folders: ['src', 'host-functions'], packages: PACKAGES });
