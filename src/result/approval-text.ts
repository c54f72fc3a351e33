import { clipText, harmlessText } from './harmless-text.ts';

const ARGUMENT_CHARS = 2_000;
/** Of arguments that are too long together: characters of each text, items of each list. */
const PART_CHARS = 200;
const PART_ITEMS = 10;
const PROGRAM_LINES = 8;
const PROGRAM_CHARS = 600;
const NAME_CHARS = 128;
const HASH_CHARS = 12;

/** A call as a person is asked about it. */
interface AskedCall {
  readonly server: string;
  readonly tool: string;
  readonly title?: string | undefined;
  readonly arguments: unknown;
  readonly rule: string;
  readonly program: { readonly code: string; readonly hash: string };
}

/** The question to a person, as plain text: what is called with what, by which program, and why they are asked. Texts of strangers are harmless and short. */
export function approvalText({ server, tool, title, arguments: args, rule, program }: AskedCall): string {
  const name = harmlessText(clipText(`${server}.${tool}`, NAME_CHARS));
  const called = title === undefined ? name : `${name} ("${oneLine(title, NAME_CHARS)}", as it calls itself)`;
  const lines = program.code.trim().split('\n');
  const more = lines.length > PROGRAM_LINES ? `\n… (${lines.length - PROGRAM_LINES} more lines)` : '';
  const shown = clipText(lines.slice(0, PROGRAM_LINES).join('\n'), PROGRAM_CHARS);
  return [
    `A program that an agent wrote wants to call the tool ${called}.`,
    `Arguments: ${oneLine(argumentText(args), ARGUMENT_CHARS)}`,
    `You are asked because of ${oneLine(rule, NAME_CHARS * 2)}.`,
    `The program (${program.hash.slice(0, HASH_CHARS)}) begins:`,
    harmlessText(shown) + more,
  ].join('\n');
}

/** Of arguments that are too long their long parts are cut first: a long text in front hides nothing behind it. */
function argumentText(args: unknown): string {
  const text = JSON.stringify(args);
  return text.length <= ARGUMENT_CHARS ? text : JSON.stringify(args, (_key, value: unknown) => shortened(value));
}

function shortened(value: unknown): unknown {
  if (typeof value === 'string') return clipText(value, PART_CHARS);
  if (!Array.isArray(value) || value.length <= PART_ITEMS) return value;
  return [...(value as unknown[]).slice(0, PART_ITEMS), `… (${value.length - PART_ITEMS} more items)`];
}

function oneLine(text: string, maxChars: number): string {
  return harmlessText(clipText(text, maxChars)).replaceAll(/\s*\n\s*/g, ' ');
}
