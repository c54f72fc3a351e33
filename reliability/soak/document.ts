import { readFile, writeFile } from 'node:fs/promises';
import { machineText, type Machine } from '../../bench/machine.ts';

const BEGIN = '<!-- soak: written by npm run soak -- --document -->';
const END = '<!-- soak: end -->';

/** Puts what a run printed into the page that tells of it, in the place of what stood there. @throws Error when the page has no place for it */
export async function writeFigures(page: string, printed: string, machine: Machine, date: Date): Promise<void> {
  const text = await readFile(page, 'utf8');
  await writeFile(page, withFigures(text, printed, `${date.toISOString().slice(0, 10)}, ${machineText(machine)}`));
}

/** The page with other figures. */
export function withFigures(text: string, printed: string, what: string): string {
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`The page has no lines ${BEGIN} and ${END}.`);
  return `${text.slice(0, begin)}${BEGIN}\n\n${what}:\n\n\`\`\`\n${printed.trimEnd()}\n\`\`\`\n\n${text.slice(end)}`;
}
