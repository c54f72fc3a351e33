import { ArgumentCompiler, OutOfWork, type Check } from './argument-compiler.ts';
import type { CatalogTool } from './catalog.ts';
import type { UpstreamLog } from './options.ts';
import { describeBreaks } from './output-message.ts';

/**
 * Holds a tool's answer against the output schema that the tool declares. Gives what breaks it, a short line each, without any value
 * of the answer; nothing when all is well or there is nothing to hold it against. Never throws, and takes bounded time whatever the schema.
 * @param text JSON text of the value
 */
export type ValidateOutput = (tool: CatalogTool, text: string) => readonly string[];

const ACCEPT_ALL: Check = () => [];

/**
 * A validator for the tools of all catalogs, with the same care for strangers' schemas as for arguments. A schema that cannot be used is
 * logged once and not enforced.
 */
export function createOutputValidator(log?: UpstreamLog): ValidateOutput {
  const compiler = new ArgumentCompiler();
  const checks = new WeakMap<object, Check>();
  const skip = (tool: CatalogTool, schema: object, error: unknown): Check => {
    const reason = error instanceof Error ? error.message.slice(0, 200) : 'unknown';
    log?.warn(`answers of the tool ${JSON.stringify(tool.name)} are not checked: its output schema cannot be used: ${reason}`);
    checks.set(schema, ACCEPT_ALL);
    return ACCEPT_ALL;
  };
  const checkOf = (tool: CatalogTool, schema: Readonly<Record<string, unknown>>): Check => {
    const known = checks.get(schema);
    if (known !== undefined) return known;
    try {
      const check = compiler.compile(schema);
      checks.set(schema, check);
      return check;
    } catch (error) {
      return skip(tool, schema, error);
    }
  };
  return (tool, text) => {
    const { outputSchema } = tool;
    if (outputSchema === undefined) return [];
    const check = checkOf(tool, outputSchema);
    if (check === ACCEPT_ALL) return [];
    try {
      return describeBreaks(check(JSON.parse(text)));
    } catch (error) {
      // Out of work once may be for this answer only; anything else, such as endless recursion, is the schema's fault.
      if (!(error instanceof OutOfWork)) skip(tool, outputSchema, error);
      return [];
    }
  };
}
