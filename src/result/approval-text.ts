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
  /** Names what the server says of the tool. */
  readonly definition?: string | undefined;
  readonly arguments: unknown;
  readonly rule: string;
  readonly program: { readonly code: string; readonly hash: string };
}

/** The question to a person, as plain text: what is called with what, by which program, and why they are asked. Texts of strangers are harmless and short. */
export function approvalText(asked: AskedCall): string {
  return [
    `A program that an agent wrote wants to call the tool ${calledName(asked)}.`,
    `Arguments: ${oneLine(argumentText(asked.arguments), ARGUMENT_CHARS)}`,
    `You are asked because of ${oneLine(asked.rule, NAME_CHARS * 2)}.`,
    ...definitionLine(asked.definition),
    ...programLines(asked.program),
  ].join('\n');
}

/** The question whether a call may be made a second time, and what is at stake. @param sentAt milliseconds since 1970 */
export function repeatText(asked: Omit<AskedCall, 'rule'>, sentAt: number): string {
  return [
    `A program that an agent wrote called the tool ${calledName(asked)}, and the server was ended before there was an answer.`,
    `It was sent at ${new Date(sentAt).toISOString()}. Nobody knows whether it was carried out, and the tool does not say that it may be called twice.`,
    `Arguments: ${oneLine(argumentText(asked.arguments), ARGUMENT_CHARS)}`,
    'Find out whether it was carried out. Approve to make it again: what it does is then done twice if it was. Refuse, and the program hears that the call was interrupted.',
    ...programLines(asked.program),
  ].join('\n');
}

/** An answer about one definition is none about another. */
function definitionLine(definition: string | undefined): string[] {
  return definition === undefined
    ? []
    : [`The definition of the tool is ${definition}: if it is another when you have answered, nothing is sent.`];
}

function calledName({ server, tool, title }: Pick<AskedCall, 'server' | 'tool' | 'title'>): string {
  const name = harmlessText(clipText(`${server}.${tool}`, NAME_CHARS));
  return title === undefined ? name : `${name} ("${oneLine(title, NAME_CHARS)}", as it calls itself)`;
}

function programLines({ code, hash }: AskedCall['program']): string[] {
  const lines = code.trim().split('\n');
  const more = lines.length > PROGRAM_LINES ? [`… (${lines.length - PROGRAM_LINES} more lines)`] : [];
  const shown = harmlessText(clipText(lines.slice(0, PROGRAM_LINES).join('\n'), PROGRAM_CHARS));
  // No line of it looks like one of ours.
  return [`The program (${hash.slice(0, HASH_CHARS)}) begins:`, shown.replaceAll(/^/gm, '| '), ...more];
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
