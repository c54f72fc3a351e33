import type { RunEvents, RunHistory, ToolAnswer, ToolCall } from '../execute/run.ts';
import type { CallBook } from './calls/call-book.ts';
import type { RunRecord } from './run-record.ts';
import type { RunState } from './run-state.ts';

export interface AttemptParts {
  readonly book: CallBook;
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
export function attemptEvents({ book, record, state, onSign, onNews, onDifference }: AttemptParts): RunEvents {
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
    history(history: RunHistory): void {
      sign();
      if (history.steps.length > 0) onNews();
      book.settled(history.steps);
      record.history(history);
    },
    waiting(nextTimer: number | null): void {
      onSign();
      state.stays(nextTimer);
    },
  };
}
