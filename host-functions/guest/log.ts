import { hostText } from './engine.ts';
import { format } from './format.ts';
import { log as hostLog } from './host.ts';
import { indentLines } from './inspect-text.ts';
import * as p from './primordials.ts';
import { run } from './run.ts';

export type Level = 'debug' | 'info' | 'warn' | 'error';

/** The longest message worth making: what is longer than the whole log would be dropped anyway. */
export function maxMessage(): number {
  return p.min(run.options.maxLogBytes + 1, 1_048_576);
}

/** One line of the log. Whatever the arguments are, nothing is thrown. */
export function write(level: Level, args: ArrayLike<unknown>, indent = ''): void {
  let text: string;
  try {
    text = format(args, maxMessage());
  } catch {
    text = '[a value that cannot be shown]';
  }
  writeText(level, text, indent);
}

/** One ready line. `indent` stands before each of its lines. */
export function writeText(level: Level, text: string, indent = ''): void {
  hostLog(level, hostText(p.cut(indent === '' ? text : indent + indentLines(text, indent), maxMessage())));
}

/** `log` of the module: like console, with the level as a word; an unknown level is `info`. */
export function log(level: unknown, message: unknown, data?: unknown): void {
  const known: Level = level === 'debug' || level === 'warn' || level === 'error' ? level : 'info';
  write(known, data === undefined ? ['%s', message] : ['%s %O', message, data]);
}
