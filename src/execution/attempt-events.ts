import type { RunEvents, RunHistory, ToolAnswer, ToolCall } from '../execute/run.ts';
import type { CallBook } from './calls/call-book.ts';
import type { FilesAgain } from './files-again.ts';
import type { RunRecord } from './run-record.ts';
import type { RunState } from './run-state.ts';

export interface AttemptParts {
  readonly book: CallBook;
  readonly files: FilesAgain;
  readonly record: RunRecord;
  readonly state: RunState;
  /** A worker has the run. */
  readonly onSign: () => void;
  /** The run has done something that it had not done before. */
  readonly onNews: () => void;
  /** It does not do what it did the first time. */
  readonly onDifference: () => void;
}

/** What becomes of what one attempt tells. */
export function attemptEvents({ book, files, record, state, onSign, onNews, onDifference }: AttemptParts): RunEvents {
  const sign = (): void => {
    onSign();
    state.goesOn();
  };
  return {
    call(call: ToolCall): Promise<ToolAnswer> {
      sign();
      const { isNew, answer } = book.call(call);
      if (isNew) onNews();
      if (book.difference !== undefined) onDifference();
      return answer;
    },
    answer(call: number): Promise<ToolAnswer> {
      sign();
      return book.answer(call);
    },
    history({ steps, files: read }: RunHistory): void {
      sign();
      const history = { steps, files: files.take(read) };
      if (files.difference !== undefined) {
        book.differs(files.difference);
        return onDifference();
      }
      if (steps.length > 0) onNews();
      book.settled(steps);
      if (steps.length + history.files.length > 0) record.history(history);
    },
    waiting(nextTimer: number | null): void {
      onSign();
      state.stays(nextTimer);
    },
  };
}
