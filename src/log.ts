import { pino } from 'pino';
import pretty from 'pino-pretty';
import type { Config } from './config/schema.ts';
import type { UpstreamLog } from './upstream/options.ts';

/** What the operator reads: on stderr, since stdout belongs to MCP. */
export interface Log {
  debug(message: string): void;
  info(fields: object | string, message?: string): void;
  warn(fields: object | string, message?: string): void;
  error(fields: object | string, message?: string): void;
  /** The same log, in the form that `upstream/` writes to. */
  readonly upstream: UpstreamLog;
}

/** The log of a process. */
export function createLog({ level, format }: Config['log']): Log {
  const stream =
    format === 'pretty'
      ? pretty({ destination: 2, sync: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss' })
      : pino.destination({ dest: 2, sync: true });
  const logger = pino({ level, base: null }, stream);
  return {
    debug: (message) => logger.debug(message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    upstream: {
      debug: (message, fields) => logger.debug(fields ?? {}, message),
      info: (message, fields) => logger.info(fields ?? {}, message),
      warn: (message, fields) => logger.warn(fields ?? {}, message),
    },
  };
}
