import type { Bundle } from '../bundle/bundle.ts';

/** A line of a stack as the guest runtime writes it, when a program logs an error. */
const FRAME = /^(?<head> *at )(?:(?<name>.*) \()?program\.js:(?<line>\d{1,7}):(?<column>\d{1,7})\)?$/;
/** The function that the bundler puts around a program. */
const WRAPPER = '$ampouleProgram';

/** A log message whose stack lines name places in the agent's code; lines of wrappers and libraries are left out. */
export function withAgentPositions(message: string, bundle: Bundle): string {
  if (!message.includes('program.js:')) return message;
  return message
    .split('\n')
    .flatMap((text) => frameOf(text, bundle))
    .join('\n');
}

function frameOf(text: string, bundle: Bundle): string[] {
  const { head = '', name, line, column } = FRAME.exec(text)?.groups ?? {};
  if (line === undefined || column === undefined) return [text];
  const place = bundle.locate(Number(line), Number(column));
  if (!place) return [];
  const position = `${place.module === undefined ? '' : `${place.module} `}line ${place.line}, column ${place.column}`;
  return [name === undefined || name.endsWith(WRAPPER) ? `${head}${position}` : `${head}${name} (${position})`];
}
