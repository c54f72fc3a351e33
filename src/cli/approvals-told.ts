import type { Approver } from '../policy/approval.ts';
import type { ProcessContext } from './command.ts';

/** For a program that runs in a terminal: says there what it waits for, and how to answer in another one. Where nothing is kept nobody can answer. */
export function tellOperator({ stderr }: Pick<ProcessContext, 'stderr'>): Approver {
  return {
    ask: ({ id, text }) => {
      if (id === undefined) return Promise.resolve({ granted: false, reason: 'unavailable' });
      stderr.write(`${text.replaceAll(/^/gm, '  ')}\nThe run waits for: ampoule approvals approve ${id} (or refuse)\n`);
      return Promise.resolve({ granted: false, reason: 'dismissed' });
    },
  };
}
