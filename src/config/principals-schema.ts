import { z } from 'zod';
import { policiesSchema } from './policy-schema.ts';

/** Ids hold URLs and whatever an issuer calls its users; line breaks are in none. */
const GLOB = /^[^\p{Cc}\p{Zl}\p{Zp}]{1,512}$/u;
const GLOB_RULE = 'the id of a principal or a glob of ids, such as "local", "key:ci-*" or "oauth:*"';

function rate(unit: string, minimum: number, maximum: number, what: string) {
  const error = `"unlimited" or a whole number of ${unit} from ${minimum} to ${maximum}`;
  return z
    .union([z.int({ error }).min(minimum, { error }).max(maximum, { error }), z.literal('unlimited', { error })], { error })
    .exactOptional()
    .describe(what);
}

const { default: fallback, servers } = policiesSchema.shape;

const principalPolicies = z
  .strictObject({
    mode: z
      .enum(['tighten', 'replace'], { error: '"tighten" or "replace"' })
      .default('tighten')
      .describe('"tighten": the stricter of these and the general policies counts. "replace": only these count.'),
    default: fallback
      .unwrap()
      .exactOptional()
      .describe('As in policies. Absent, it adds nothing when it tightens, and is "annotations" when it replaces.'),
    servers,
  })
  .describe('Policies of tools for these principals. Rules on data flow and personal data are the same for everybody.');

const principal = z
  .strictObject({
    runsPerMinute: rate('runs', 1, 1_000_000, 'So many runs at once; from then on they come back one by one, as many in a minute.'),
    concurrentRuns: rate('runs', 1, 100_000, 'Runs under way at a time, those that wait for a tool or a person included.'),
    fuelPerHour: rate(
      'fuel units',
      50_000_000,
      1_000_000_000_000_000,
      'Fuel of all runs together. What is left lowers the limit of the next one.',
    ),
    toolCallsPerMinute: rate(
      'calls',
      1,
      10_000_000,
      'Tool calls of all runs together. One that is over is an error that the program can catch.',
    ),
    policies: principalPolicies.exactOptional(),
  })
  .describe('What principals may use.');

/** The `principals` of the config file. */
export const principalsSchema = z
  .record(z.string().regex(GLOB, { error: GLOB_RULE }), principal)
  .default({})
  .describe('Limits and policies by principal: an id or a glob of ids. For each key the most specific entry that has it counts.');

/** What the operator wrote for principals. */
export type Principals = z.output<typeof principalsSchema>;
export type PrincipalEntry = Principals[string];
export type PrincipalPolicies = z.output<typeof principalPolicies>;
