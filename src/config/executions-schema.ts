import { z } from 'zod';

const GROUP = 'a name of letters, digits, ".", "_" and "-", 64 at most';

/** The `executions` of the config file: what becomes of runs that outlive a process. */
export const executionsSchema = z
  .strictObject({
    group: z
      .string({ error: GROUP })
      .regex(/^[\w.-]{1,64}$/, { error: GROUP })
      .exactOptional()
      .describe(
        'Servers of the same group carry on with the runs of one that has ended, when they have the same store. Default: each config file is a group of its own.',
      ),
    interruptedCalls: z
      .enum(['fail', 'ask'], { error: '"fail" or "ask"' })
      .default('fail')
      .describe(
        'What a program gets for a call that was under way when the server was ended, and that may not be made twice: "fail" is an error that it can catch, "ask" waits for `ampoule approvals`.',
      ),
    engineChanged: z
      .enum(['keep', 'fail'], { error: '"keep" or "fail"' })
      .default('keep')
      .describe('What becomes of runs that sleep on an engine that was replaced: "keep" ends them on the old one, "fail" with an error.'),
  })
  .describe('What becomes of runs that sleep, or outlive the process that began them.');

/** The operator's settings of executions, with all defaults filled in. */
export type ExecutionsConfig = z.output<typeof executionsSchema>;
