import { join } from 'node:path';
import { createDrift, type DriftQuestion } from '../drift/drift.ts';
import type { ToolName } from '../drift/named-tools.ts';
import { SandboxError, type Diagnostic } from '../errors.ts';
import { createLearner, forgetLearned, type Learner } from '../learned/learner.ts';
import type { Log } from '../log.ts';
import { makeFolder, OWNER_ONLY } from '../make-folder.ts';
import { observeAnswers, type AnswerObserver } from './observe-answers.ts';
import { createOutputValidator } from '../upstream/output-validator.ts';

export interface TypesOptions {
  /** The config's `types`. */
  readonly types: { readonly learn: boolean; readonly outputs: 'warn' | 'error' | 'off' };
  readonly cacheDirectory: string;
  readonly log: Log;
}

/** What types have to say about one run: from what its program was checked against, to what its tools answered. */
export interface RunTypes {
  /** The outcome of the check, with what changed about the program's tools in the error of one that fails. */
  checked<T>(check: Promise<T>): Promise<T>;
  /** To be called with every answer of a tool. */
  readonly observe: AnswerObserver['observe'];
  /** To be called when the run has ended: what the agent should know. */
  finished(script: string, calls: readonly ToolName[]): Diagnostic[];
}

/** Types that follow what upstream servers really do: learned results, changed schemas, results that break theirs. */
export interface Types {
  /** Absent when the operator wants nothing learned. */
  readonly learner: Learner | undefined;
  /** Never throws. */
  begin(question: DriftQuestion): RunTypes;
  close(): void;
}

/** Opens `learned.db` and `drift.db` in the cache folder. What is wrong with the files is logged and ends nothing. */
export async function openTypes({ types, cacheDirectory, log }: TypesOptions): Promise<Types> {
  // Without the folder there are no files, which is logged below.
  await makeFolder(cacheDirectory, OWNER_ONLY).catch(() => undefined);
  const file = join(cacheDirectory, 'learned.db');
  if (!types.learn) forgetLearned(file, log);
  const learner = types.learn ? createLearner({ file, log }) : undefined;
  const drift = createDrift({ file: join(cacheDirectory, 'drift.db'), log });
  const stages = { outputs: types.outputs, validateOutput: createOutputValidator(log.upstream), learner };
  return {
    learner,
    begin: (question) => {
      const [observer, program] = [observeAnswers(stages), drift.begin(question)];
      return {
        checked: (check) => check.catch((error: unknown) => Promise.reject(error instanceof SandboxError ? program.explain(error) : error)),
        observe: observer.observe,
        finished(script, calls) {
          program.passed(script, calls);
          return [...program.warnings, ...observer.warnings()];
        },
      };
    },
    close() {
      learner?.close();
      drift.close();
    },
  };
}
