import type { Diagnostic, ErrorCode, SourceLocation } from '../errors.ts';
import { ERROR_HINTS } from './error-hints.ts';
import { clipText, harmlessText } from './harmless-text.ts';
import type { ChangeText } from './json-strings.ts';
import type { ExecuteFailure } from './output-schema.ts';
import { boundLocation } from './source-location.ts';

/** Longest message that is passed on, in characters; a program can throw an error with any text. */
const MESSAGE_CHARS = 8 * 1024;
const MAX_DIAGNOSTICS = 50;

/** A failure as the stages know it: a SandboxError's fields, or a failed run's end. */
export interface FailureSource {
  readonly code: ErrorCode;
  readonly message: string;
  /** The name of the thrown error's class, as the guest tells it. */
  readonly name?: string | undefined;
  readonly hint?: string | undefined;
  /** When to try again, in milliseconds from now. */
  readonly retryAfterMs?: number | undefined;
  readonly location?: SourceLocation | undefined;
  /** Frames in the agent's own code, innermost first. */
  readonly stack?: readonly SourceLocation[] | undefined;
  readonly diagnostics?: readonly Diagnostic[] | undefined;
}

/**
 * What the agent is told about a failure: bounded, harmless to show, with a hint, and nothing of a fault of ours but its code.
 * @param hide what happens to texts that may come from the program
 */
export function describeFailure(source: FailureSource, hide: ChangeText = same): ExecuteFailure {
  const { stack = [] } = source;
  const hint = source.hint ?? ERROR_HINTS[source.code];
  const location = source.location ?? source.diagnostics?.find((finding) => finding.location)?.location;
  const diagnostics = findingsOf(source);
  return {
    code: source.code,
    message: safe(hide(messageOf(source))),
    ...(hint !== undefined && { hint: safe(hide(hint)) }),
    ...(source.retryAfterMs !== undefined && { retryAfterMs: source.retryAfterMs }),
    ...(location && { location: boundLocation(location) }),
    ...(stack.length > 1 && { stack: [...stack] }),
    ...(diagnostics.length > 0 && { diagnostics }),
  };
}

const same: ChangeText = (text) => text;

/** The findings; nothing where the only one is the failure itself, which is not told twice. */
function findingsOf({ message, diagnostics = [] }: FailureSource): NonNullable<ExecuteFailure['diagnostics']> {
  const [first] = diagnostics;
  if (diagnostics.length === 1 && first?.message === message) return [];
  return diagnostics.slice(0, MAX_DIAGNOSTICS).map(describeDiagnostic);
}

function messageOf({ code, message, name }: FailureSource): string {
  // The text of an unexpected error may name paths or hold secrets: it belongs in the log alone.
  if (code === 'ERR_INTERNAL') return 'Something went wrong inside the sandbox.';
  if (code !== 'ERR_EXECUTE_THROWN' || name === undefined || name === '' || message.startsWith(`${name}:`)) return message;
  return message === '' ? name : `${name}: ${message}`;
}

/** A finding as an answer has it: bounded and harmless to show. */
export function describeDiagnostic({ code, message, location, tsCode }: Diagnostic): NonNullable<ExecuteFailure['diagnostics']>[number] {
  return {
    ...(code !== undefined && { code }),
    message: safe(message),
    ...(location && { location: boundLocation(location) }),
    ...(tsCode !== undefined && { tsCode }),
  };
}

function safe(text: string): string {
  return harmlessText(clipText(text, MESSAGE_CHARS));
}
