import { RE2JS } from 're2js';

/** A pattern whose compiled form is larger than this would be slow on every character. */
const MAX_PROGRAM_SIZE = 5_000;
const MAX_PATTERN_LENGTH = 2_000;

/** Work that one validation may still do, in steps of about a nanosecond to a microsecond. */
export class WorkBudget {
  #left = 0;

  refill(steps: number): void {
    this.#left = steps;
  }

  /** Takes steps from the budget; false when it is used up. */
  spend(steps: number): boolean {
    this.#left -= steps;
    return this.#left >= 0;
  }
}

/** What Ajv wants of a regular expression engine. */
interface RegExpLike {
  test(text: string): boolean;
  toString(): string;
}

/**
 * A regular expression engine for Ajv that takes time linear in the text, whatever the pattern: patterns come from strangers.
 * What it cannot do (look-around, backreferences, huge repeats), and texts past the budget, match: the upstream decides about them.
 */
export function createPatternEngine(budget: WorkBudget): { (pattern: string, flags: string): RegExpLike; code: string } {
  const compile = (pattern: string): RegExpLike => {
    const compiled = compileLinear(pattern);
    return {
      test: (text) => compiled === undefined || !budget.spend(text.length * compiled.size) || compiled.expression.test(text),
      // Ajv keeps one engine per text of this.
      toString: () => `/${pattern}/`,
    };
  };
  // Ajv would name the engine so in code that is generated to a file, which we never do.
  return Object.assign(compile, { code: 'new RegExp' });
}

function compileLinear(pattern: string): { expression: RE2JS; size: number } | undefined {
  if (pattern.length > MAX_PATTERN_LENGTH) return undefined;
  try {
    const expression = RE2JS.compile(RE2JS.translateRegExp(pattern));
    const size = expression.programSize();
    return size > MAX_PROGRAM_SIZE ? undefined : { expression, size };
  } catch {
    return undefined;
  }
}
