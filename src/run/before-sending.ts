import { toSandboxError } from '../errors.ts';
import type { ToolAnswer, ToolCall } from '../execute/run.ts';
import { failedAnswer } from '../upstream/call.ts';
import type { CallingRun } from './calling-run.ts';

/** Has it written down that the call leaves. Gives the answer to one that may not leave. */
export async function beforeSending(
  { journal }: CallingRun,
  { number }: ToolCall,
  isRepeatableCall: boolean,
  signal: AbortSignal,
): Promise<ToolAnswer | undefined> {
  if (journal === undefined) return undefined;
  const writing = journal.sending(number, isRepeatableCall);
  // Whether it was made need not be known of a call that may be made again.
  if (isRepeatableCall) return void writing.catch(() => undefined);
  try {
    await writing;
  } catch (thrown) {
    return notWritten(thrown);
  }
  return signal.aborted ? failedAnswer('ERR_EXECUTE_CANCELLED', 'The run has ended.') : undefined;
}

/** The answer to a call that cannot be made, because nobody would know of it after a restart. */
export function notWritten(thrown: unknown): ToolAnswer {
  const { code, message } = toSandboxError(thrown);
  const isOurs = code !== 'ERR_INTERNAL';
  const said = isOurs ? message : 'It could not be written down that the call is made.';
  return failedAnswer(isOurs ? code : 'ERR_EXECUTION_STORE', `${said} Nothing was sent.`, 'Try it again later.');
}
