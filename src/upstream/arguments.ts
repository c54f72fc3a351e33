import type { Check } from './argument-compiler.ts';
import { ArgumentCompiler, OutOfWork } from './argument-compiler.ts';
import { describeErrors, describeProperties } from './argument-message.ts';
import type { CatalogTool } from './catalog.ts';
import type { UpstreamLog } from './options.ts';

/** Whether a call may be sent. `message` and `hint` are for the agent that wrote the call. */
export type ArgumentVerdict = { readonly ok: true } | { readonly ok: false; readonly message: string; readonly hint: string };

/**
 * Holds the arguments of a call against the tool's input schema. Never throws, and takes bounded time whatever the schema.
 * @param hide what a value is shown as in the message, before it is shortened
 */
export type ValidateArguments = (tool: CatalogTool, args: unknown, hide?: (value: unknown) => unknown) => ArgumentVerdict;

const OK: ArgumentVerdict = { ok: true };
const ACCEPT_ALL: Check = () => [];

/**
 * A validator for the tools of all catalogs. Schemas are compiled at their first call and kept as long as the schema object lives.
 * A schema that cannot be used is logged once, and then the upstream judges the arguments alone.
 */
export function createArgumentValidator(log?: UpstreamLog): ValidateArguments {
  const compiler = new ArgumentCompiler();
  const checks = new WeakMap<object, Check>();
  const skip = (tool: CatalogTool, error: unknown): Check => {
    const reason = error instanceof Error ? error.message.slice(0, 200) : 'unknown';
    log?.warn(`arguments of the tool ${JSON.stringify(tool.name)} are not checked: its input schema cannot be used: ${reason}`);
    checks.set(tool.inputSchema, ACCEPT_ALL);
    return ACCEPT_ALL;
  };
  const checkOf = (tool: CatalogTool): Check => {
    const known = checks.get(tool.inputSchema);
    if (known !== undefined) return known;
    try {
      const check = compiler.compile(tool.inputSchema);
      checks.set(tool.inputSchema, check);
      return check;
    } catch (error) {
      return skip(tool, error);
    }
  };
  return (tool, args, hide) => {
    const hint = (): string => describeProperties(tool.name, tool.inputSchema);
    if (typeof args !== 'object' || args === null || Array.isArray(args)) {
      return { ok: false, message: 'arguments must be an object', hint: hint() };
    }
    try {
      const errors = checkOf(tool)(args);
      return errors.length === 0 ? OK : { ok: false, message: describeErrors(errors, hide), hint: hint() };
    } catch (error) {
      // Out of work once may be for these arguments only; anything else, such as endless recursion, is the schema's fault.
      if (!(error instanceof OutOfWork)) skip(tool, error);
      return OK;
    }
  };
}
