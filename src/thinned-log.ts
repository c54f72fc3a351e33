import type { Log } from './log.ts';

/** The same warning is written once in so long at most, in milliseconds. */
const EVERY_MS = 10_000;
/** Past so many different ones of a time those of one message count as the same, whatever their reasons are. */
const MAX_DIFFERENT = 100;

export interface ThinnedLog extends Log, Disposable {}

interface Seen {
  more: number;
  fields: object;
  readonly message: string;
}

/**
 * The same log, for what may happen to every run at once, as when a disk fails: the first warning of a message and reason is written as it comes, and
 * those that follow within some seconds as one, the last of them, with their number in `times`.
 */
export function thinnedLog(log: Log, everyMs = EVERY_MS): ThinnedLog {
  const seen = new Map<string, Seen>();
  let timer: NodeJS.Timeout | undefined;
  const tell = (): void => {
    for (const [key, { more, fields, message }] of seen) {
      if (more === 0) seen.delete(key);
      else log.warn(more === 1 ? fields : { ...fields, times: more }, message);
    }
    for (const one of seen.values()) one.more = 0;
    if (seen.size === 0) stop();
  };
  const stop = (): void => {
    clearInterval(timer);
    timer = undefined;
  };
  const warn = (fields: object, message: string): void => {
    const exact = `${message}\n${reasonOf(fields)}`;
    const key = seen.has(exact) || seen.size < MAX_DIFFERENT ? exact : message;
    const known = seen.get(key);
    if (known) {
      known.more++;
      known.fields = fields;
      return;
    }
    seen.set(key, { more: 0, fields, message });
    timer ??= setInterval(tell, everyMs).unref();
    log.warn(fields, message);
  };
  return {
    ...log,
    warn: (fields, message) => (typeof fields === 'string' ? warn({}, fields) : warn(fields, message ?? '')),
    [Symbol.dispose]: () => {
      tell();
      stop();
    },
  };
}

/** What kind of failure it is, and of which file: two of one kind say nothing new. */
function reasonOf(fields: object): string {
  const { err, reason, code, file } = fields as Readonly<Record<string, unknown>>;
  const text = err instanceof Error ? `${err.message} ${err.cause instanceof Error ? err.cause.message : ''}` : '';
  return [text, reason, code, file].filter((part) => typeof part === 'string').join('\n');
}
