import { parseArgs, type ParseArgsConfig } from 'node:util';

/** A command line that cannot be meant. */
export class UsageError extends Error {}

type Values = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;

/** Options of a script. @throws UsageError for one that there is not */
export function parseOptions(args: readonly string[], options: NonNullable<ParseArgsConfig['options']>): Values {
  try {
    return parseArgs({ args: [...args], strict: true, options }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** A number within bounds. @throws UsageError */
export function numberIn(name: string, value: unknown, [least, most]: readonly [number, number]): number {
  const number = Number(value);
  if (typeof value === 'string' && value.trim() !== '' && number >= least && number <= most) return number;
  throw new UsageError(`--${name} expects a number from ${least} to ${most}, got "${String(value)}".`);
}

/** A text, or nothing. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
