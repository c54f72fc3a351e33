import { z } from 'zod';
import { LIMITS } from '../limits.ts';
import type { Limit, LimitName } from '../limits.ts';

const UNITS: Record<Limit['unit'], string> = { ms: 'milliseconds', fuel: 'fuel units', MiB: 'MiB', bytes: 'bytes', count: '' };

/** `a whole number of milliseconds from 10 to 3600000`: the words of both the editor's hover and the error. */
function rangeText(limit: Limit): string {
  const unit = UNITS[limit.unit];
  return `a whole number${unit === '' ? '' : ` of ${unit}`} from ${limit.minimum} to ${limit.maximum}`;
}

function limitSchema(name: LimitName) {
  const limit: Limit = LIMITS[name];
  const error = rangeText(limit);
  return z
    .int({ error })
    .min(limit.minimum, { error })
    .max(limit.maximum, { error })
    .default(limit.default)
    .describe(`Stops ${limit.against}. ${error[0]?.toUpperCase()}${error.slice(1)}.`);
}

const names = Object.keys(LIMITS) as LimitName[]; // the table is a constant of ours: it has no other keys
const shape = Object.fromEntries(names.map((name) => [name, limitSchema(name)])) as Record<LimitName, ReturnType<typeof limitSchema>>; // one entry per name, just above

/** The `limits` of the config file: every entry of the LIMITS table, with its default and range from there. */
export const limitsSchema = z.strictObject(shape);
