import { z } from 'zod';

const EXECUTORS = 'a whole number from 1 to 16';
const MEMORY = '"auto" or a whole number of MiB from 512 to 1048576';

/** The `executors` of the config file. */
export const executorsSchema = z
  .int({ error: EXECUTORS })
  .min(1, { error: EXECUTORS })
  .max(16, { error: EXECUTORS })
  .default(1)
  .describe('Processes that run programs. The workers are shared out among them, and one that dies takes only its own runs along.');

/** The `executorMemoryMb` of the config file. */
export const executorMemorySchema = z
  .union([z.literal('auto'), z.int().min(512, { error: MEMORY }).max(1_048_576, { error: MEMORY })], { error: MEMORY })
  .default('auto')
  .describe(
    'Memory in use at which a process that runs programs is ended and started again, in MiB: "auto" is what its runs may hold together and some more.',
  );
