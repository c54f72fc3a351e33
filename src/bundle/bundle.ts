import type { SourceLocation } from '../errors.ts';

/** An agent's program as one script, and the way back from positions in it to positions in the agent's source. */
export interface Bundle {
  /**
   * The body of a function with the parameters `ampoule` (the module object of `import ... from "ampoule"`) and `input`; it
   * returns a promise of the program's result. It ends with a `//# sourceURL=program.js` line.
   */
  readonly script: string;
  /** The agent's position for a 1-based line and column of `script`; undefined where it lies in a library or a wrapper. */
  locate(line: number, column: number): SourceLocation | undefined;
}
