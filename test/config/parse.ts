import { SandboxError } from '../../src/errors.ts';
import { parseConfig } from '../../src/config/load-config.ts';
import type { Config } from '../../src/config/schema.ts';
import type { Environment } from '../../src/config/interpolate.ts';

export const FILE = '/etc/ampoule/ampoule.json';

/** Parses a config given as text or as a value, as if it were in {@link FILE}. */
export function parse(config: unknown, environment: Environment = {}): Config {
  return parseConfig(typeof config === 'string' ? config : JSON.stringify(config), { file: FILE, environment });
}

/** The error of a config that is wrong. */
export function errorOf(config: unknown, environment: Environment = {}): SandboxError {
  try {
    parse(config, environment);
  } catch (error) {
    if (error instanceof SandboxError) return error;
    throw error;
  }
  throw new Error('the config was accepted');
}

/** Everything that an error tells, as one text. */
export function wholeText(error: SandboxError): string {
  return `${error.message}\n${JSON.stringify(error.details)}`;
}
