import * as p from '../primordials.ts';
import { lineOf } from '../source-line.ts';

const position = /^(\s*at .*program\.js:\d+:)(\d+)(\)?)/;
const calleeBefore = /[\w$\].?]*$/;
const nameAt = /^[\w$]+(?:\??\.[\w$]+)*/;
const newBefore = /\bnew $/;
/** A `throw new` whose arguments the place is in: the last call among them is where QuickJS thinks that it is. */
const throwBefore = /\bthrow new [\w$.]+\([^;]*$/;

/** A failure as the other engine would tell it. */
export interface Told {
  message: string;
  frames: string;
}

/**
 * QuickJS says only "not a function", and points behind the `new` of what is made, or into its arguments. Both are put right from the line of source, for the
 * place that a failure happened at.
 */
export function explain(message: string, frames: string): Told {
  const line = lineOf(frames);
  const match = p.regExpExec(position, frames);
  if (line === '' || match === null) return { message, frames };
  const column = +(match[2] ?? '') - 1;
  const before = p.slice(line, 0, column);
  const isNew = p.regExpExec(newBefore, before) !== null;
  const thrown = isNew ? null : p.regExpExec(throwBefore, before);
  const place = thrown === null ? column - 3 : column - thrown[0].length + 'throw '.length + 1;
  return {
    message: message === 'not a function' ? named(line, column, isNew) : message,
    frames: isNew || thrown !== null ? `${match[1]}${place}${match[3]}${p.slice(frames, match[0].length)}` : frames,
  };
}

function named(line: string, column: number, isNew: boolean): string {
  const before = isNew ? '' : (p.regExpExec(calleeBefore, p.slice(line, 0, column))?.[0] ?? '');
  const name = p.regExpExec(nameAt, p.slice(line, column))?.[0];
  if (name === undefined) return 'not a function';
  return `${p.cut(before + name, 200)} is not a ${isNew ? 'constructor' : 'function'}`;
}
