import type { Bundle } from '../bundle/bundle.ts';
import type { SourceLocation } from '../errors.ts';
import { boundLocation } from './source-location.ts';

/** Frames that are shown; deeper ones say little. */
const MAX_FRAMES = 8;
/** Characters and lines of a guest's stack that are looked at; a guest writes what it likes into it. */
const MAX_STACK_CHARS = 16 * 1024;
const MAX_STACK_LINES = 256;

/** As the guest runtime writes them: `    at name (program.js:3:14)`, `    at program.js:3:14`, `    at async program.js:3:14`. */
const POSITION = /^program\.js:(\d{1,7}):(\d{1,7})\)?$/;
const INDENT = '    at ';

/**
 * The frames of a guest's stack that lie in the agent's own code, innermost first, at most 8. A line counts only when its
 * position leads back to the agent's source, so no text of the stack itself is ever passed on.
 */
export function agentFrames(stack: string | undefined, bundle: Bundle): readonly SourceLocation[] {
  const frames: SourceLocation[] = [];
  if (stack === undefined) return frames;
  for (const line of stack.slice(0, MAX_STACK_CHARS).split('\n', MAX_STACK_LINES)) {
    const frame = locate(line, bundle);
    if (frame) frames.push(boundLocation(frame));
    if (frames.length === MAX_FRAMES) break;
  }
  return frames;
}

function locate(line: string, bundle: Bundle): SourceLocation | undefined {
  if (!line.startsWith(INDENT)) return undefined;
  const place = line.slice(Math.max(line.lastIndexOf(' '), line.lastIndexOf('(')) + 1);
  const [, row, column] = POSITION.exec(place) ?? [];
  return row === undefined || column === undefined ? undefined : bundle.locate(Number(row), Number(column));
}
