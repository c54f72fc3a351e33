/** Calls a tool and gives what a program or a model reads of its answer: parsed JSON where it is JSON, else the text. */
export type CallTool = (server: string, tool: string, args: Record<string, unknown>) => Promise<unknown>;

/** What a model asks of `search_tools` before it writes its program. */
export interface Search {
  readonly query: string;
  readonly detail: 'names' | 'summary' | 'full';
  readonly limit: number;
}

/**
 * A task of several steps, recorded twice: the calls that a model makes one by one, and the program that it sends instead. Both run against
 * the same real servers and have to come to the same answer.
 */
export interface Task {
  readonly name: string;
  readonly about: string;
  /** Writes the files of the task into an empty folder. */
  readonly prepare: (folder: string) => Promise<void>;
  /** What the model computes between the calls costs no tokens here, although it does in truth. */
  readonly direct: (call: CallTool, folder: string) => Promise<unknown>;
  readonly searches: readonly Search[];
  /** Code of the program; `input` is the folder. */
  readonly code: string;
}
