import type { Sources } from './bundle-form.ts';
import { readMessages, toBundleError } from './diagnostics.ts';
import { buildModule } from './esbuild.ts';
import { isOwn, messageLocator, type Job, type Tools } from './make-bundle.ts';
import { programModules } from './program-modules.ts';
import type { ModuleScan } from './scan-result.ts';
import { explainUnreadable, refuseProblems, scanBudget } from './source-findings.ts';
import { LineTable, prepareSource } from './source-text.ts';

/** Code that others are to import, as far as its text alone tells. */
export interface ReadModule {
  readonly sources: Sources;
  readonly scan: ModuleScan;
  /** The code as it is kept: without what stood around it. */
  readonly text: string;
}

/** Parses a module. Throws as `Bundler.readModule` does. */
export async function readModule(code: string, { scanner, timeoutMs }: Tools): Promise<ReadModule> {
  const prepared = prepareSource(code);
  const sources: Sources = { prepared, lines: new LineTable(prepared.shown, 'editor') };
  const scan = await scanner.scanModule(prepared.text, scanBudget(prepared.text, timeoutMs));
  if (scan.kind === 'unreadable') throw await explainUnreadable(scan, sources, timeoutMs);
  refuseProblems({ sites: [], problems: scan.problems.filter(({ engine }) => engine === undefined) }, sources);
  return { sources, scan, text: prepared.text === code ? code : withoutMargins(prepared.text) };
}

/** A fence around the code has left blank lines. */
function withoutMargins(text: string): string {
  return `${text.replace(/^(?:[^\S\n]*\n)+/u, '').trimEnd()}\n`;
}

/** Links a module with all that it imports; gives back the script. Throws as `Bundler.bundle` does. */
export async function linkModule({ sources, scan }: ReadModule, { world, root }: Omit<Job, 'code'>, tools: Tools): Promise<string> {
  const problems = scan.problems.filter(({ engine }) => engine !== undefined);
  refuseProblems({ sites: scan.sites, problems }, sources, world);
  const { text } = sources.prepared;
  const outcome = await buildModule(programModules({ world, root }, text, tools.linker), tools.timeoutMs, scan.quiet);
  const locate = messageLocator({ text, sourceOf: (offset) => offset }, scan, sources, world);
  if (!outcome.ok) throw toBundleError(readMessages(outcome.errors, world, locate));
  const missing = outcome.warnings.filter(({ id, file }) => id === 'import-is-undefined' && isOwn(file));
  if (missing.length > 0) throw toBundleError(readMessages(missing, world, locate));
  return outcome.script;
}
