import { primitiveText } from './inspect-text.ts';
import { inspect } from './inspect.ts';
import * as p from './primordials.ts';

/** Console arguments as one text: %s %d %i %f %j %o %O %c %% in the first, the rest behind it with spaces between. */
export function format(args: ArrayLike<unknown>, maxLength: number): string {
  let at = 0;
  let text = '';
  const first = args[0];
  if (typeof first === 'string' && args.length > 1 && p.indexOf(first, '%') !== -1) {
    const filled = fill(first, args, maxLength);
    text = filled.text;
    at = filled.used;
  }
  for (let i = at; i < args.length && text.length <= maxLength; i++) {
    const value = args[i];
    if (i > 0) text += ' ';
    text += typeof value === 'string' ? value : inspect(value, 4, maxLength);
  }
  return p.cut(text, maxLength);
}

function fill(template: string, args: ArrayLike<unknown>, maxLength: number): { text: string; used: number } {
  let text = '';
  let used = 1;
  let from = 0;
  for (;;) {
    const at = p.indexOf(template, '%', from);
    if (at === -1 || at === template.length - 1) break;
    const letter = p.slice(template, at + 1, at + 2);
    text += p.slice(template, from, at);
    from = at + 2;
    if (letter === '%') text += '%';
    else if (used < args.length && isDirective(letter)) text += directive(letter, args[used++], maxLength);
    else text += `%${letter}`;
    if (text.length > maxLength) break;
  }
  return { text: text + p.slice(template, from), used };
}

function isDirective(letter: string): boolean {
  return p.indexOf('sdifjoOc', letter) !== -1;
}

function directive(letter: string, value: unknown, maxLength: number): string {
  switch (letter) {
    case 's':
      return typeof value === 'string'
        ? value
        : typeof value === 'object' && value !== null
          ? inspect(value, 0, maxLength)
          : primitiveOrFunction(value);
    case 'd':
      return numberText(value, (n) => n);
    case 'i':
      return numberText(value, p.trunc);
    case 'f':
      return typeof value === 'number' || typeof value === 'string' ? `${p.NativeNumber(value)}` : 'NaN';
    case 'c':
      return '';
    default:
      return inspect(value, 4, maxLength);
  }
}

function primitiveOrFunction(value: unknown): string {
  return typeof value === 'function' ? inspect(value) : primitiveText(value);
}

function numberText(value: unknown, convert: (n: number) => number): string {
  if (typeof value === 'bigint') return `${value}n`;
  return typeof value === 'number' || typeof value === 'string' ? `${convert(p.NativeNumber(value))}` : 'NaN';
}
