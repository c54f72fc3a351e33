import { SandboxError } from '../errors.ts';
import { harmlessLine } from '../result/harmless-text.ts';

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** A time of `--since`, in milliseconds since 1970. @param command - whose help is named @throws SandboxError ERR_CLI_USAGE */
export function timeOption(text: string, now: number, command: string): number {
  const ago = /^(\d{1,9})([smhdw])$/.exec(text);
  if (ago) return now - Number(ago[1]) * (UNITS[ago[2] ?? ''] ?? Number.NaN);
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return time;
  const message = `--since expects a time ago such as 30m, 1h or 7d, or a date such as 2026-01-31 or 2026-01-31T12:00:00Z, got ${shownOption(text)}.`;
  throw usageError(message, command);
}

/** A number of `--limit`. @throws SandboxError ERR_CLI_USAGE */
export function limitOption(text: string, maximum: number, command: string): number {
  const limit = Number(text);
  if (/^\d+$/.test(text) && limit >= 1 && limit <= maximum) return limit;
  throw usageError(`--limit expects a whole number from 1 to ${maximum}, got ${shownOption(text)}.`, command);
}

export function usageError(message: string, command: string): SandboxError {
  return new SandboxError('ERR_CLI_USAGE', message, { hint: `"ampoule ${command} --help" shows all options.` });
}

/** What somebody has typed, shortened and harmless. */
export function shownOption(text: string): string {
  return harmlessLine(JSON.stringify(text.slice(0, 64)));
}
