import type { Limits } from '../limits.ts';
import type { AnswerMode } from './answer-form.ts';
import type { SandboxPort } from './sandbox-port.ts';

/** Where the server writes what the operator should know. A pino logger is one. */
export interface ServerLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** The limits that hold before a run begins. */
export type ServerLimits = Pick<Limits, 'maxSourceBytes' | 'maxInputBytes' | 'maxJsonDepth' | 'maxJsonNodes'>;

/** What both transports need. */
export interface ServerOptions {
  readonly port: SandboxPort;
  readonly serverInfo: { readonly name: string; readonly version: string; readonly title?: string };
  readonly limits: ServerLimits;
  readonly log: ServerLog;
  /** Where answers have their content. Default: by what each client speaks. */
  readonly answers?: AnswerMode;
  /** Largest message in bytes. Default: room for the largest source and input, escaped as JSON. */
  readonly maxBodyBytes?: number;
}

/** A message can be this much longer than the source and input in it, because JSON escapes characters. */
const ESCAPING = 2;
const ENVELOPE_BYTES = 64 * 1024;

/** The largest message that can hold what the limits allow. */
export function messageBytes({ limits, maxBodyBytes }: ServerOptions): number {
  return maxBodyBytes ?? ESCAPING * (limits.maxSourceBytes + limits.maxInputBytes) + ENVELOPE_BYTES;
}
