import * as p from './primordials.ts';

export const MAX_STRING = 10_000;
const LINE_WIDTH = 76;
const printable = /^[\w$]+$/;

/** One call of {@link inspect}: what it may still write, and the objects that it is inside of. */
export interface Inspection {
  depth: number;
  left: number;
  above: p.List<unknown>;
  /** Shows a member, within the same bounds. */
  show(value: unknown): string;
}

/** A value that is not an object as text. */
export function primitiveText(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return quoted(value);
    case 'bigint':
      return `${value}n`;
    case 'symbol':
      return p.symbolToString(value);
    case 'number':
      return value === 0 && 1 / value < 0 ? '-0' : `${value}`;
    case 'boolean':
    case 'undefined':
    case 'function':
    case 'object':
      return p.NativeString(value);
  }
}

/** A key as it stands before its colon. */
export function keyText(key: string | symbol): string {
  if (typeof key === 'symbol') return `[${p.symbolToString(key)}]`;
  return p.regExpExec(printable, key) === null ? quoted(key) : key;
}

function quoted(text: string): string {
  const shown = p.cut(text, MAX_STRING);
  const json = p.stringifyJson(shown);
  const inner = p.slice(json, 1, json.length - 1);
  const rest = text.length > shown.length ? `... ${text.length - shown.length} more characters` : '';
  if (p.indexOf(shown, "'") === -1) return `'${unescapeQuotes(inner)}'${rest}`;
  return `${json}${rest}`;
}

function unescapeQuotes(text: string): string {
  if (p.indexOf(text, '\\"') === -1) return text;
  let out = '';
  for (let i = 0; i < text.length; i++) {
    const escaped = p.charCodeAt(text, i) === 0x5c;
    const next = escaped ? p.charCodeAt(text, i + 1) : 0;
    out += escaped && next === 0x22 ? '"' : p.slice(text, i, escaped ? i + 2 : i + 1);
    if (escaped) i++;
  }
  return out;
}

/** Parts between brackets, on one line when they fit. */
export function wrap(prefix: string, open: string, parts: p.List<string>, close: string): string {
  const head = prefix === '' ? open : `${prefix} ${open}`;
  if (parts.length === 0) return head + close;
  let width = head.length;
  let isSingle = true;
  for (let i = 0; i < parts.length; i++) {
    width += parts[i].length + 2;
    if (p.indexOf(parts[i], '\n') !== -1) isSingle = false;
  }
  isSingle &&= width <= LINE_WIDTH;
  let text = '';
  for (let i = 0; i < parts.length; i++) {
    if (isSingle) text += i === 0 ? ` ${parts[i]}` : `, ${parts[i]}`;
    else text += `${i === 0 ? '' : ','}\n  ${indentLines(parts[i], '  ')}`;
  }
  return head + text + (isSingle ? ` ${close}` : `\n${close}`);
}

/** Puts `indent` behind every line break. */
export function indentLines(text: string, indent: string): string {
  let out = '';
  let from = 0;
  for (;;) {
    const to = p.indexOf(text, '\n', from);
    if (to === -1) return out + p.slice(text, from);
    out += p.slice(text, from, to + 1) + indent;
    from = to + 1;
  }
}
