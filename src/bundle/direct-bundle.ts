import type { Bundle } from './bundle.ts';
import { bannerOf, END, footerOf, type Made, type Sources, toBundle } from './bundle-form.ts';
import { type DirectLink, type Linkers, linkDirectly } from './direct-link.ts';
import { transform } from './esbuild.ts';
import { freeName } from './free-name.ts';
import { blankModule, composeProgram, type LoweredNamespace } from './program-text.ts';
import type { Scan } from './scan-result.ts';
import type { SkillLookup } from './skill-places.ts';
import { LineTable } from './source-text.ts';
import type { ModuleWorld } from './specifiers.ts';

/** A program that can be read, in parts. */
interface Scanned {
  readonly sources: Sources;
  readonly scan: Scan;
  readonly lowered: readonly LoweredNamespace[];
}

/** In one step, what most programs can be made in. Undefined for the others, and when something is wrong: the long way says what. */
export async function bundleDirectly(
  { world }: { readonly world: ModuleWorld },
  { linker, skills, timeoutMs }: Linkers & { readonly timeoutMs: number },
  { sources, scan, lowered }: Scanned,
): Promise<Made | undefined> {
  const prefix = freeName('$ampoule', sources.prepared.text);
  const link = scan.bindings && (await linkDirectly(scan.bindings, world, { linker, skills }, prefix));
  if (link === undefined) return undefined;
  if (scan.stripped !== undefined) return toPlainBundle(link, scan.stripped, sources, scan);
  const program = composeProgram(sources.prepared.text, { ...scan, imports: [] }, lowered, link.inner);
  const outcome = await transform(program.text, timeoutMs, { banner: bannerOf(scan) + link.outer, footer: footerOf(scan) });
  if (!outcome.ok || outcome.warnings.some(({ id }) => id === 'assign-to-constant')) return undefined;
  return toBundle(outcome, program, sources, inHead(outcome.script, bannerOf(scan), link));
}

/** The places of skills in a script that begins with their declarations. */
function inHead(script: string, banner: string, { outer, inSkill }: DirectLink): SkillLookup {
  let lines: LineTable | undefined;
  return (line, column) => {
    if (line < 1 || column < 1 || !script.startsWith(banner + outer)) return undefined;
    lines ??= new LineTable(script, 'script');
    return inSkill(lines.offsetAt(line, column - 1) - banner.length);
  };
}

/** Without esbuild: the agent's own text, only without its types. */
function toPlainBundle(link: DirectLink, stripped: string, sources: Sources, scan: Scan): Made {
  const { outer, inner } = link;
  // A block of their own, because an imported name may be one of ours.
  const head = `${bannerOf(scan)}${outer}{${inner}\n`;
  const program = composeProgram(sources.prepared.text, { ...scan, imports: [] }, []);
  const text = `${head}${blankModule(stripped)}}${footerOf(scan)}${END}`;
  const inSkill = inHead(text, bannerOf(scan), link);
  let lines: LineTable | undefined;
  const bundle: Bundle = {
    script: text,
    locate(line, column) {
      if (line < 1 || column < 1) return undefined;
      lines ??= new LineTable(text, 'script');
      const source = program.sourceOf(lines.offsetAt(line, column - 1) - head.length);
      return source === undefined ? inSkill(line, column) : sources.lines.locationAt(source);
    },
  };
  return { bundle, size: text.length + 2 * sources.prepared.shown.length };
}
