import { z } from 'zod';
import { systemText } from './server-schema.ts';

const TOKENS = 'a whole number of tokens from 200 to 20000';

/** The `discovery` of the config file. */
export const discoverySchema = z
  .strictObject({
    descriptionTokens: z
      .int({ error: TOKENS })
      .min(200, { error: TOKENS })
      .max(20_000, { error: TOKENS })
      .default(1_000)
      .describe('Most tokens of the description of execute_code, its list of tools included.'),
  })
  .describe('How agents find tools.');

/** The `language` of the config file. */
export const languageSchema = z
  .strictObject({
    locales: z
      .array(z.string({ error: 'a locale' }).regex(/^[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$/, { error: 'a locale such as "en" or "de-CH"' }), {
        error: 'a list of locales',
      })
      .min(1, { error: 'a list with at least one locale' })
      .refine((names) => new Set(names).size === names.length, { error: 'a list that has each locale once' })
      .default(['en'])
      .describe('Locales that Intl knows; the first is the default one. Each takes memory in every instance.'),
    timeZones: z
      .union([z.literal('all'), z.array(systemText('the name of a time zone'))], {
        error: '"all" or a list of time zones such as "Europe/Berlin"',
      })
      .default('all')
      .describe('Time zones that programs can name. UTC is always there, and is the default one.'),
  })
  .describe('What the language of programs knows of the world. A change builds the engine again.');

/** The `types` of the config file. */
export const typesSchema = z
  .strictObject({
    learn: z
      .boolean({ error: 'true or false' })
      .default(true)
      .describe('Learn the shape (never the values) of results whose tool declares none, and write it into the wrapper as learned.'),
    outputs: z
      .enum(['warn', 'error', 'off'], { error: '"warn", "error" or "off"' })
      .default('warn')
      .describe(
        'A result that breaks the output schema of its tool: "warn" says so in the answer, "error" fails the call, "off" does not look.',
      ),
  })
  .describe('How far types follow what tools really answer.');
