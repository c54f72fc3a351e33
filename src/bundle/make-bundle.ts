import type { SourceLocation } from '../errors.ts';
import { bannerOf, footerOf, type Made, type Sources, toBundle } from './bundle-form.ts';
import { readMessages, toBundleError } from './diagnostics.ts';
import { bundleDirectly } from './direct-bundle.ts';
import { build, ENTRY_FILE } from './esbuild.ts';
import { libraryOf } from './library-files.ts';
import { lowerNamespaces } from './lower-namespaces.ts';
import type { BuildMessage } from './module-source.ts';
import { programModules } from './program-modules.ts';
import { composeProgram, type ProgramText } from './program-text.ts';
import type { Scan } from './scan-result.ts';
import type { Scanner } from './scanner.ts';
import type { SkillLinker } from './skill-linker.ts';
import { skillLocation, skillLookup, skillOf } from './skill-places.ts';
import { explainUnreadable, refuseProblems, scanBudget } from './source-findings.ts';
import { LineTable, prepareSource } from './source-text.ts';
import type { ModuleWorld } from './specifiers.ts';
import type { WrapperLinker } from './wrapper-linker.ts';

/** What a bundle is made of. */
export interface Job {
  readonly code: string;
  readonly world: ModuleWorld;
  /** Real folder of the operator's installation. */
  readonly root: string;
}

/** What bundles are made with. */
export interface Tools {
  readonly scanner: Scanner;
  readonly linker: WrapperLinker;
  readonly skills: SkillLinker;
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
  const outcome = await build(
    programModules(job, program.text, tools.linker),
    { banner: bannerOf(scan), footer, quiet: scan.quiet },
    tools.timeoutMs,
  );
  const locate = messageLocator(program, scan, sources, job.world);
  if (!outcome.ok) throw toBundleError(readMessages(outcome.errors, job.world, locate));
  const missing = outcome.warnings.filter(({ id, file }) => id === 'import-is-undefined' && isOwn(file));
  if (missing.length > 0) throw toBundleError(readMessages(missing, job.world, locate));
  return toBundle(outcome, program, sources, skillLookup(outcome.map, job.world.skills));
}

/** Whether a file has code of an agent: the program, or a skill. */
export function isOwn(file: string): boolean {
  return file === ENTRY_FILE || skillOf(file) !== undefined;
}

/** The agent's position of a message: its own, a skill's, or that of the import of the library that it is about. */
export function messageLocator(
  program: Pick<ProgramText, 'text' | 'sourceOf'>,
  scan: Pick<Scan, 'sites'>,
  { lines }: Pick<Sources, 'lines'>,
  { skills }: ModuleWorld,
): (message: BuildMessage) => SourceLocation | undefined {
  const programLines = new LineTable(program.text, 'script');
  return ({ file, line, column }) => {
    if (skillOf(file) !== undefined) return skillLocation(file, skills, (table) => table.offsetAtBytes(line, column));
    const library = file === ENTRY_FILE ? undefined : libraryOf(file);
    const site = scan.sites.find(({ specifier }) => specifier === library || specifier.startsWith(`${library}/`));
    const source = file === ENTRY_FILE ? program.sourceOf(programLines.offsetAtBytes(line, column)) : site?.offset;
    return source === undefined ? undefined : lines.locationAt(source);
  };
}
