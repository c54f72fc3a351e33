import type { Diagnostic } from '../errors.ts';
import type { ToolAnswer } from '../execute/run.ts';
import type { Learner } from '../learned/learner.ts';
import { failedAnswer } from '../upstream/call.ts';
import type { CatalogTool } from '../upstream/catalog.ts';
import type { ValidateOutput } from '../upstream/output-validator.ts';

/** UTF-16 units of JSON up to which every answer is held against its schema. */
const SMALL_TEXT = 100 * 1024;
/** Of larger answers a run looks at so much altogether, because each costs milliseconds; at all of them if a break is an error. */
const LARGE_TEXT_OF_RUN = 1024 * 1024;
/** Different breaks that one run tells. */
const MAX_WARNINGS = 20;

export interface ObserverStages {
  /** What a result that breaks its declared schema is: the config's `types.outputs`. */
  readonly outputs: 'warn' | 'error' | 'off';
  readonly validateOutput: ValidateOutput;
  /** Absent when the operator wants nothing learned. */
  readonly learner?: Pick<Learner, 'note'> | undefined;
}

/** Looks at the answers of one run's tool calls. */
export interface AnswerObserver {
  /** To be called with every answer that really came from the tool. Gives the answer that the program gets. Never throws. */
  readonly observe: (server: string, tool: CatalogTool, answer: ToolAnswer) => ToolAnswer;
  /** What the agent should know: each break once, with how often it was seen. */
  readonly warnings: () => Diagnostic[];
}

/** An observer for one run. */
export function observeAnswers({ outputs, validateOutput, learner }: ObserverStages): AnswerObserver {
  const breaks = new BreakCounter();
  let left = outputs === 'error' ? Infinity : LARGE_TEXT_OF_RUN;
  return {
    observe(server, tool, answer) {
      if (!answer.ok) return answer;
      if (tool.outputSchema === undefined) {
        learner?.note(server, tool.name, answer.value);
        return answer;
      }
      const size = answer.value.length > SMALL_TEXT ? answer.value.length : 0;
      if (outputs === 'off' || size > left) return answer;
      left -= size;
      const found = validateOutput(tool, answer.value);
      if (found.length === 0) return answer;
      if (outputs === 'error') return failedAnswer('ERR_CALL_OUTPUT', `the result breaks its declared output schema: ${found.join('; ')}`);
      for (const one of found) breaks.add(`${server}.${tool.name} broke its declared output schema: ${one}`);
      return answer;
    },
    warnings: () => breaks.told(),
  };
}

/** Counts equal messages, up to so many different ones. */
class BreakCounter {
  readonly #times = new Map<string, number>();
  #others = 0;

  add(message: string): void {
    const times = this.#times.get(message);
    if (times === undefined && this.#times.size >= MAX_WARNINGS) this.#others++;
    else this.#times.set(message, (times ?? 0) + 1);
  }

  told(): Diagnostic[] {
    const code = 'WARN_OUTPUT_SCHEMA';
    const told = [...this.#times].map(([message, times]) => ({ code, message: times === 1 ? message : `${message} (${times} answers)` }));
    return this.#others === 0 ? told : [...told, { code, message: `And ${this.#others} more breaks of declared output schemas.` }];
  }
}
