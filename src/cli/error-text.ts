import { CommanderError } from 'commander';
import { SandboxError } from '../errors.ts';

/** Of a process whose command line is wrong. */
const USAGE_EXIT_CODE = 2;

/** What the process of a command that has failed ends with. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE_EXIT_CODE;
  return error instanceof SandboxError && error.code === 'ERR_CLI_USAGE' ? USAGE_EXIT_CODE : 1;
}

/** An error as an operator reads it on a terminal. */
export function errorText(error: unknown): string {
  if (!(error instanceof SandboxError)) return `ampoule: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`;
  const { code, message, details, cause } = error;
  const findings =
    details.diagnostics && details.diagnostics.length > 1 ? details.diagnostics.map((finding) => finding.message) : [message];
  const lines = [code as string, ...findings.map((text) => text.replaceAll(/^/gm, '  '))];
  if (details.hint !== undefined) lines.push(`  ${details.hint}`);
  if (code === 'ERR_INTERNAL' || code.startsWith('ERR_ENGINE_')) {
    if (cause instanceof Error) lines.push(`  cause: ${cause.stack ?? cause.message}`);
  }
  return `${lines.join('\n')}\n`;
}
