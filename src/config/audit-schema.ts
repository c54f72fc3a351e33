import { z } from 'zod';
import { systemText } from './server-schema.ts';

const MiB = 1024 * 1024;
const DAYS = 'a whole number of days from 1 to 3650';
const BYTES = 'a whole number of bytes from 1048576 to 1099511627776';

/** The `audit` of the config file. */
export const auditSchema = z
  .strictObject({
    store: z
      .boolean({ error: 'true or false' })
      .default(true)
      .describe('Keeps lines in audit.db in the cache folder, for `ampoule audit`.'),
    file: systemText('the path of a file')
      .exactOptional()
      .describe("A file that gets every line as JSON too, appended; relative to the config file's folder. Rotating it is the operator's."),
    values: z
      .boolean({ error: 'true or false' })
      .default(false)
      .describe(
        'Adds programs, inputs, arguments, answers and results, shortened and without known secrets. Without it there are hashes only.',
      ),
    retentionDays: z
      .int({ error: DAYS })
      .min(1, { error: DAYS })
      .max(3_650, { error: DAYS })
      .default(30)
      .describe('How long the store keeps a line.'),
    maxBytes: z
      .int({ error: BYTES })
      .min(MiB, { error: BYTES })
      .max(1_024 * 1_024 * MiB, { error: BYTES })
      .default(256 * MiB)
      .describe('Most bytes of the lines in the store. Past it the oldest go, of the principal that has most.'),
    onFailure: z
      .enum(['warn', 'refuse'], { error: '"warn" or "refuse"' })
      .default('warn')
      .describe('When lines cannot be written: "warn" in the log and go on, or "refuse" to start runs.'),
  })
  .refine(({ store, file, onFailure }) => store || file !== undefined || onFailure === 'warn', {
    error: 'a place to write to, "store": true or a "file", where nothing may run unrecorded ("onFailure": "refuse")',
  })
  .describe('Who did what: one line for each run and each tool call.');

/** The operator's settings of the audit, with all defaults filled in. */
export type AuditConfig = z.output<typeof auditSchema>;
