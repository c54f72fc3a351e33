// Everything that can move a cursor, colour a terminal, hide text or turn its direction, blanks that look like nothing and the invisible
// letters of tags among it; tab and line feed stay.
// The two joiners U+200C and U+200D stay too, because scripts and emoji need them.
const HARMFUL =
  // oxlint-disable-next-line no-control-regex -- control characters are what it is there to find
  /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u00AD\u061C\u115F\u1160\u180E\u200B\u200E\u200F\u2028-\u202E\u2060-\u206F\u3164\uFEFF\uFFA0]|\uDB40[\uDC00-\uDDEF]/g;

/** Text from a stranger, safe to show to people and models: control and invisible characters become `\uXXXX`. */
export function harmlessText(text: string): string {
  return text.toWellFormed().replace(HARMFUL, escaped);
}

function escaped(found: string): string {
  return Array.from({ length: found.length }, (_, at) => `\\u${found.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');
}

/** The same for one line, such as a row of a table: nothing in it begins a second one. */
export function harmlessLine(text: string): string {
  return harmlessText(text.replace(/[\t\n]/g, (character) => (character === '\n' ? '\\n' : '\\t')));
}

/** The first `maxChars` characters, with a note about how many are missing. Never cuts a surrogate pair in two. */
export function clipText(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  const end = isHighSurrogate(text.charCodeAt(maxChars - 1)) ? maxChars - 1 : maxChars;
  return `${text.slice(0, end)}… (${text.length - end} more characters)`;
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}
