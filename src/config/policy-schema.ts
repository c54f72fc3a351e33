import { z } from 'zod';
import { NAME_PATTERN, NAME_RULE, systemText } from './server-schema.ts';

const POLICY = '"allow", "ask" or "deny"';
const DEFAULT_POLICY = '"annotations", "allow", "ask" or "deny"';
const CALLS = 'a whole number of calls from 0 to 100000';
const LENGTH = 'a whole number of characters from 4 to 1024';
/** Names of kinds of personal data: they become part of the tokens. */
const KIND_PATTERN = /^[a-z][a-z0-9_]{0,31}$/;

const maxCalls = z
  .int({ error: CALLS })
  .min(0, { error: CALLS })
  .max(100_000, { error: CALLS })
  .exactOptional()
  .describe('Most calls in one run; one call of execute_code may lower it.');

const policy = z
  .enum(['allow', 'ask', 'deny'], { error: POLICY })
  .exactOptional()
  .describe('"allow" calls, "ask" a person before each call, or "deny" it.');

const toolPolicy = z.strictObject({ policy, maxCalls }, { error: 'an object with "policy", "maxCalls" or both' });

const serverPolicy = z
  .strictObject({
    policy,
    maxCalls,
    tools: z
      .record(systemText('the name of a tool, or a glob of names'), toolPolicy)
      .default({})
      .describe('By name or glob of the tool; a name wins over a glob, and of globs the longest.'),
  })
  .describe('What programs may do with one server.');

const address = (what: string) =>
  z
    .string({ error: 'a pattern such as "mail.*"' })
    .regex(/^[^.\s]+\..+$/, { error: 'a pattern such as "mail.*" or "web.post": server, dot, tool' })
    .describe(what);

const dataFlow = z
  .strictObject({
    name: z.string({ error: 'a name for the rule' }).min(1).max(64).exactOptional().describe('Named in errors. Default: "<from> to <to>".'),
    from: z.array(address('A source.'), { error: 'a list such as ["mail.*"]' }).min(1).describe('Tools whose results are watched.'),
    to: z
      .array(address('A destination.'), { error: 'a list such as ["web.*"]' })
      .min(1)
      .describe('Tools that may not get values from those results.'),
    action: z
      .enum(['deny', 'warn'], { error: '"deny" or "warn"' })
      .default('deny')
      .describe('"warn" makes the call and says so in the answer.'),
    minLength: z
      .int({ error: LENGTH })
      .min(4, { error: LENGTH })
      .max(1_024, { error: LENGTH })
      .default(8)
      .describe('Shorter texts, and numbers with fewer digits, are not followed: they are in everything.'),
    pieceLength: z
      .int({ error: LENGTH })
      .min(4, { error: LENGTH })
      .max(1_024, { error: LENGTH })
      .default(24)
      .describe('So many characters in a row of a longer text are followed too; never fewer than minLength.'),
  })
  .describe('A rule on data between tools, enforced by value outside of the sandbox.');

const personalData = z
  .strictObject({
    servers: z
      .array(z.string({ error: 'the name of a server' }), { error: 'a list of server names' })
      .default([])
      .describe('Servers whose personal data the model never sees. Default: none.'),
    kinds: z
      .array(z.enum(['email', 'phone', 'card', 'key'], { error: '"email", "phone", "card" or "key"' }), { error: 'a list of kinds' })
      .default(['email', 'phone', 'card', 'key'])
      .describe('The built-in patterns that are looked for.'),
    patterns: z
      .record(z.string().regex(KIND_PATTERN, { error: 'small letters, digits and _, a letter first' }), systemText('a regular expression'))
      .default({})
      .describe('Further patterns by name of the kind, as regular expressions without look-around and back-references.'),
  })
  .describe('Replaces personal data by tokens in all that goes to the model, and puts it back in what goes to tools.');

/** The `policies` of the config file. */
export const policiesSchema = z
  .strictObject({
    default: z
      .enum(['annotations', 'allow', 'ask', 'deny'], { error: DEFAULT_POLICY })
      .default('annotations')
      .describe(
        'For tools without a policy of their own: "annotations" asks before tools that say they are destructive and allows the rest.',
      ),
    servers: z
      .record(z.string().regex(NAME_PATTERN, { error: NAME_RULE }), serverPolicy)
      .default({})
      .describe('Policies by name of the server.'),
    dataFlow: z
      .array(dataFlow, { error: 'a list of rules' })
      .max(30, { error: 'at most 30 rules' })
      .default([])
      .describe('Rules on data between tools.'),
    personalData: personalData.prefault({}),
  })
  .describe('What programs may do with tools; every single call is judged.');

/** The operator's policies, with all defaults filled in. */
export type Policies = z.output<typeof policiesSchema>;
