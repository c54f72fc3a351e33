import type { Random } from '../random.ts';

/** The structured answer of `execute_code`, as far as it is judged. */
export interface Output {
  readonly status: string;
  readonly executionId?: string;
  readonly result?: unknown;
  readonly session?: string;
  readonly error?: { readonly code: string; readonly message: string };
  readonly kept?: readonly { readonly uri: string; readonly bytes: number }[];
}

/** What a client does with its request besides waiting for the answer. */
export type Manner = 'wait' | 'drop' | 'cancel';

/** One request and how its answer is judged. */
export interface Task {
  readonly kind: string;
  readonly arguments: Record<string, unknown>;
  /** Codes with which it may end although nothing was ended under it. */
  readonly codes?: readonly string[];
  /** What is wrong with a completed answer; undefined when nothing is. */
  readonly judge: (output: Output) => string | undefined;
  /** Told of the answer once it is judged; of none when it was dropped or cancelled. */
  readonly done?: (output: Output | undefined) => void;
  readonly manner?: Manner;
  /** How long after it began it is dropped or cancelled, in milliseconds. */
  readonly afterMs?: number;
}

/** What the programs of one client draw from. */
export interface Maker {
  readonly random: Random;
  /** A number that no other program of the run has. */
  readonly fresh: () => number;
}

/** The result has to be this value. */
export function gives(expected: unknown): Task['judge'] {
  const text = JSON.stringify(expected);
  return ({ result }) =>
    JSON.stringify(result) === text ? undefined : `the result is ${clip(JSON.stringify(result))} in place of ${clip(text)}`;
}

export function clip(text: string | undefined, length = 200): string {
  return text === undefined ? 'nothing' : text.length > length ? `${text.slice(0, length)}…` : text;
}
