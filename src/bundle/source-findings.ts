import { SandboxError } from '../errors.ts';
import { type Finding, MAX_DIAGNOSTICS, sentence, toBundleError } from './diagnostics.ts';
import { transform } from './esbuild.ts';
import type { BuildMessage } from './module-source.ts';
import type { ImportSite, Problem, Unreadable } from './scan-result.ts';
import type { Sources } from './bundle-form.ts';
import { areTooMany } from './scan-faults.ts';
import { LineTable } from './source-text.ts';
import { type ModuleWorld, resolveAgentImport } from './specifiers.ts';

/** Far more than a parser needs for honest text of that length, and less than an attacker would like. */
export function scanBudget(text: string, timeoutMs: number): number {
  return Math.min(timeoutMs, 2000 + text.length / 100);
}

/** Characters of text for each of esbuild's complaints, at the least. */
const LEAST_FAULT = 4;

/** Refuses what the parser found wrong and, in a world, every import that leads nowhere, also those that esbuild would drop unseen. */
export function refuseProblems(
  scan: { readonly sites: readonly ImportSite[]; readonly problems: readonly Problem[] },
  { lines }: Pick<Sources, 'lines'>,
  world?: ModuleWorld,
): void {
  const imports = world === undefined ? [] : refusedImports(scan.sites, world);
  const found = scan.problems.filter(({ engine }) => engine === undefined || world === undefined || engine === world.engine);
  const problems = [...found, ...imports].sort((a, b) => a.offset - b.offset);
  if (problems.length === 0) return;
  throw toBundleError(
    problems
      .slice(0, MAX_DIAGNOSTICS)
      .map(({ code, message, hint, offset }): Finding => ({ code, message, hint, location: lines.locationAt(offset) })),
  );
}

function refusedImports(sites: readonly ImportSite[], world: ModuleWorld): Problem[] {
  return sites.flatMap(({ specifier, offset }) => {
    const resolution = resolveAgentImport(specifier, world);
    return resolution.kind === 'refused'
      ? [{ code: 'ERR_BUNDLE_IMPORT', message: resolution.message, hint: resolution.hint, offset } as const]
      : [];
  });
}

/** The error of a text that the parser could not read, in esbuild's words where it has some. */
export async function explainUnreadable(found: Unreadable, { prepared, lines }: Sources, timeoutMs: number): Promise<SandboxError> {
  if (found.reason === 'nesting') {
    return new SandboxError('ERR_BUNDLE_SYNTAX', found.message, { hint: 'Split expressions and blocks into smaller ones.' });
  }
  const isCostly = areTooMany(prepared.text.length / LEAST_FAULT, prepared.text);
  const outcome = isCostly ? undefined : await transform(prepared.text, timeoutMs);
  const errors = outcome === undefined || outcome.ok ? [] : outcome.errors.filter(({ text }) => !text.startsWith('Top-level return'));
  if (errors.length > 0) return syntaxError(errors, prepared.text, 0, lines);
  const message = found.message.endsWith('.') ? found.message : `${found.message}.`;
  return toBundleError([{ code: 'ERR_BUNDLE_SYNTAX', message, location: lines.locationAt(found.offset) }]);
}

/** esbuild's errors about the part of the agent's text that begins at `start`. */
export function syntaxError(errors: readonly BuildMessage[], text: string, start: number, lines: LineTable): SandboxError {
  const table = new LineTable(text, 'script');
  const findings = errors.slice(0, MAX_DIAGNOSTICS).map(({ text: message, line, column }): Finding => {
    const location = lines.locationAt(start + table.offsetAtBytes(line, column));
    return { code: 'ERR_BUNDLE_SYNTAX', message: sentence(message), location };
  });
  return toBundleError(findings);
}
