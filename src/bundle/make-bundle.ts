import { SandboxError, type SourceLocation } from '../errors.ts';
import { AMPOULE, AMPOULE_MODULE } from './ampoule-module.ts';
import { BANNER, footerOf, type Made, type Sources, toBundle } from './bundle-form.ts';
import { type Finding, readMessages, toBundleError } from './diagnostics.ts';
import { bundleDirectly } from './direct-bundle.ts';
import { build, ENTRY_FILE, transform } from './esbuild.ts';
import { libraryOf, loadLibraryFile } from './library-files.ts';
import type { BuildMessage, ModuleSource } from './module-source.ts';
import { offsetLookup } from './position-map.ts';
import { composeProgram, type LoweredNamespace, type ProgramText } from './program-text.ts';
import type { Problem, Scan, Unreadable } from './scan-result.ts';
import type { Scanner } from './scanner.ts';
import { LineTable, prepareSource } from './source-text.ts';
import { type ModuleWorld, resolveAgentImport } from './specifiers.ts';
import type { WrapperLinker } from './wrapper-linker.ts';

/** What a bundle is made of. */
export interface Job {
  readonly code: string;
  readonly world: ModuleWorld;
  /** Real folder of the operator's installation. */
  readonly root: string;
}

interface Tools {
  readonly scanner: Scanner;
  readonly linker: WrapperLinker;
  readonly timeoutMs: number;
}

/** Makes one bundle from scratch. */
export async function makeBundle(job: Job, tools: Tools): Promise<Made> {
  const prepared = prepareSource(job.code);
  const sources: Sources = { prepared, lines: new LineTable(prepared.shown, 'editor') };
  const scan = await tools.scanner.scan(prepared.text, scanBudget(prepared.text, tools.timeoutMs));
  if (scan.kind === 'unreadable') throw await explainUnreadable(scan, sources, tools.timeoutMs);
  refuseProblems(scan, sources, job.world);
  const lowered = await lowerNamespaces(scan, sources, tools.timeoutMs);
  const footer = footerOf(scan);
  const direct = await bundleDirectly(job, tools, { sources, scan, lowered });
  if (direct !== undefined) return direct;
  const program = composeProgram(prepared.text, scan, lowered);
  const outcome = await build(moduleSource(job, program.text, tools.linker), { banner: BANNER, footer }, tools.timeoutMs);
  const locate = messageLocator(program, scan, sources);
  if (!outcome.ok) throw toBundleError(readMessages(outcome.errors, job.world, locate));
  const missing = outcome.warnings.filter(({ id, file }) => id === 'import-is-undefined' && file === ENTRY_FILE);
  if (missing.length > 0) throw toBundleError(readMessages(missing, job.world, locate));
  return toBundle(outcome, program, sources);
}

/** Far more than a parser needs for honest text of that length, and less than an attacker would like. */
function scanBudget(text: string, timeoutMs: number): number {
  return Math.min(timeoutMs, 2000 + text.length / 100);
}

/** The agent's position of a message: its own, or that of the import of the library that it is about. */
function messageLocator(program: ProgramText, scan: Scan, { lines }: Sources): (message: BuildMessage) => SourceLocation | undefined {
  const programLines = new LineTable(program.text, 'script');
  return ({ file, line, column }) => {
    const library = file === ENTRY_FILE ? undefined : libraryOf(file);
    const site = scan.sites.find(({ specifier }) => specifier === library || specifier.startsWith(`${library}/`));
    const source = file === ENTRY_FILE ? program.sourceOf(programLines.offsetAtBytes(line, column)) : site?.offset;
    return source === undefined ? undefined : lines.locationAt(source);
  };
}

function moduleSource({ world, root }: Job, entry: string, linker: WrapperLinker): ModuleSource {
  return {
    root,
    entry,
    resolve(specifier, kind) {
      if (kind === 'require') return { message: '`require` does not exist here.', hint: 'Write `import * as name from "..."`.' };
      const resolution = resolveAgentImport(specifier, world);
      switch (resolution.kind) {
        case 'ampoule':
          return AMPOULE;
        case 'wrapper':
          return { space: 'servers', path: resolution.path };
        case 'library':
          return 'library';
        case 'refused':
          return { message: resolution.message, hint: resolution.hint };
      }
    },
    async load({ space, path }) {
      if (space === 'ampoule') return { contents: AMPOULE_MODULE, loader: 'js' };
      return { contents: await linker.load(path, world), loader: 'js' };
    },
    loadLibrary: (path) => loadLibraryFile(path, root),
  };
}

/** Every import is judged here, also those that esbuild would drop unseen because nothing uses them. */
function refuseProblems(scan: Scan, { lines }: Sources, world: ModuleWorld): void {
  const imports: Problem[] = scan.sites.flatMap(({ specifier, offset }) => {
    const resolution = resolveAgentImport(specifier, world);
    return resolution.kind === 'refused'
      ? [{ code: 'ERR_BUNDLE_IMPORT', message: resolution.message, hint: resolution.hint, offset } as const]
      : [];
  });
  const problems = [...scan.problems, ...imports].sort((a, b) => a.offset - b.offset);
  if (problems.length === 0) return;
  throw toBundleError(problems.map(({ offset, ...problem }): Finding => ({ ...problem, location: lines.locationAt(offset) })));
}

async function lowerNamespaces(scan: Scan, { prepared, lines }: Sources, timeoutMs: number): Promise<LoweredNamespace[]> {
  const lowered: LoweredNamespace[] = [];
  for (const { start, end, name, declared } of scan.namespaces) {
    const text = prepared.text.slice(start, end);
    const outcome = await transform(text, timeoutMs);
    if (!outcome.ok) throw syntaxError(outcome.errors, text, start, lines);
    const generated = new LineTable(outcome.script, 'script');
    const lookup = offsetLookup(outcome.map, 'program', text);
    const sourceOf = (offset: number): number | undefined => {
      const { line, column } = generated.locationAt(offset);
      return lookup(line, column);
    };
    // What it merges with is declared already, perhaps in a way that `var` may not repeat.
    const script = declared ? outcome.script.replace(`var ${name};`, ' '.repeat(name.length + 5)) : outcome.script;
    lowered.push({ text: script.trimEnd(), sourceOf });
  }
  return lowered;
}

async function explainUnreadable(found: Unreadable, { prepared, lines }: Sources, timeoutMs: number): Promise<SandboxError> {
  if (found.reason === 'nesting') {
    return new SandboxError('ERR_BUNDLE_SYNTAX', found.message, { hint: 'Split expressions and blocks into smaller ones.' });
  }
  const outcome = await transform(prepared.text, timeoutMs);
  const errors = outcome.ok ? [] : outcome.errors.filter(({ text }) => !text.startsWith('Top-level return'));
  if (errors.length > 0) return syntaxError(errors, prepared.text, 0, lines);
  const message = found.message.endsWith('.') ? found.message : `${found.message}.`;
  return toBundleError([{ code: 'ERR_BUNDLE_SYNTAX', message, location: lines.locationAt(found.offset) }]);
}

function syntaxError(errors: readonly BuildMessage[], text: string, start: number, lines: LineTable): SandboxError {
  const table = new LineTable(text, 'script');
  const findings = errors.map(({ text: message, line, column }): Finding => {
    const location = lines.locationAt(start + table.offsetAtBytes(line, column));
    return { code: 'ERR_BUNDLE_SYNTAX', message: /[.!?]$/u.test(message) ? message : `${message}.`, location };
  });
  return toBundleError(findings);
}
