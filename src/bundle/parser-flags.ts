import { codeAccess } from '../read-access.ts';
import { shutFlags } from '../shut-flags.ts';

/** What the parser's code imports: a package that is not named here cannot be loaded in its process. */
const SOURCES = { folders: ['src'], packages: ['@babel/parser', 'fastest-levenshtein'], deepPackages: ['regexpu-core'] };
/** Built, it is a few files with most of that in them: see `packaging/make-package.ts`. */
const BUILT = { folders: ['src/bundle'], packages: [], deepPackages: ['regexpu-core'] };

let flags: readonly string[] | undefined;

/**
 * How the parser's process is started: under Node's permission model, with no right but to read its code and start its thread. Where
 * the packages are is looked up once.
 */
export function parserFlags(): readonly string[] {
  return (flags ??= [...shutFlags(), ...codeAccess(import.meta.url.endsWith('.ts') ? SOURCES : BUILT), '--allow-worker']);
}
