import { SandboxError, type Diagnostic, type ErrorCode } from '../errors.ts';
import type { Catalog, CatalogTool } from '../upstream/catalog.ts';
import { compareOutlines } from './compare.ts';
import type { RememberedUse } from './drift-store.ts';
import type { ToolName } from './named-tools.ts';
import { outlineOf, type ToolOutline } from './outline.ts';

const MAX_TOLD = 10;
/** Failures before a run that a changed tool can be the reason of. */
const CAN_BE_DRIFT = new Set<ErrorCode>(['ERR_CHECK_TYPES', 'ERR_BUNDLE_IMPORT', 'ERR_BUNDLE_FAILED']);

/**
 * A warning for each tool that is not what a program was checked against.
 * @param outlineText the text of an outline by its hash
 */
export function driftWarnings(
  uses: readonly RememberedUse[],
  catalog: Catalog,
  outlineText: (hash: string) => string | undefined,
): Diagnostic[] {
  const told: string[] = [];
  for (const use of uses.filter((one) => isChanged(one, catalog))) {
    const changes = changesOf(use, catalog, outlineText);
    if (changes.length > 0) told.push(`${use.server}.${use.tool} changed since this program was last checked: ${changes.join('; ')}.`);
  }
  const more = told.length - MAX_TOLD;
  const shown = more > 0 ? [...told.slice(0, MAX_TOLD), `${more} more tools of this program changed since it was last checked.`] : told;
  return shown.map((message) => ({ code: 'WARN_SCHEMA_DRIFT', message }));
}

/** The error of a check that failed, with what changed if that can be the reason. */
export function explainDrift(error: SandboxError, warnings: readonly Diagnostic[]): SandboxError {
  if (warnings.length === 0 || !CAN_BE_DRIFT.has(error.code)) return error;
  const { message, details, cause } = error;
  const what = warnings.map((warning) => warning.message).join(' ');
  const hint = `${details.hint === undefined ? '' : `${details.hint} `}${what} Correct the calls and send the code again.`;
  // The place of an error without findings of its own stays the first one.
  const own = details.diagnostics ?? [{ message, ...(details.location && { location: details.location }) }];
  return new SandboxError(error.code, message, { ...details, hint, diagnostics: [...own, ...warnings], cause });
}

/** Whether a tool is gone, or has other schemas than a program was checked against. */
export function isChanged(use: RememberedUse, catalog: Catalog): boolean {
  const found = findTool(catalog, use);
  return found === 'gone' || (found !== 'not known' && outlineOf(found).hash !== use.outline);
}

/** A tool of the catalog. That a server which is not connected lists nothing says nothing. */
export function findTool(catalog: Catalog, { server, tool }: ToolName): CatalogTool | 'gone' | 'not known' {
  const listed = catalog.servers.find(({ name }) => name === server);
  const found = listed?.tools.find(({ name }) => name === tool);
  if (found !== undefined) return found;
  return listed === undefined || listed.state === 'ready' || listed.tools.length > 0 ? 'gone' : 'not known';
}

function changesOf(use: RememberedUse, catalog: Catalog, outlineText: (hash: string) => string | undefined): string[] {
  const found = findTool(catalog, use);
  if (found === 'gone') return ['the tool is gone'];
  const old = outlineText(use.outline);
  if (found === 'not known' || old === undefined) return [];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by ourselves, and what is wrong with it is caught
  return compareOutlines(JSON.parse(old) as ToolOutline, JSON.parse(outlineOf(found).text) as ToolOutline);
}
