/** The same work for everybody: the body of a function of `ampoule` and `input` that returns a promise of its result. */
export interface Program {
  readonly name: string;
  readonly description: string;
  /** As the product's bundler makes it. */
  readonly script: string;
  /** JSON text of `input`. */
  readonly input: string;
  /** JSON text that every tool call of it is answered with. */
  readonly answer: string;
}

/** A way to run a program that nobody trusts, from nothing to its result. */
export interface Contender {
  readonly name: string;
  /** How many programs a slow one takes part in: with `few` only the first ones, and few times. */
  readonly pace: 'usual' | 'few';
  /** Runs the program once in a sandbox of its own. Gives the result as JSON text. */
  run(program: Program): Promise<string>;
  close(): Promise<void>;
}

/** A contender that is not here, and why. */
export interface Absent {
  readonly name: string;
  readonly reason: string;
}

/** The function's parameters and body as one expression, for contenders that evaluate text. */
export function functionText({ script }: Program): string {
  return `(function (ampoule, input) {${script}\n})`;
}
