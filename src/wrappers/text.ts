/** What a reader cannot see: control and format characters (zero width, bidirectional, tags), line and paragraph separators. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** A JSON value as TypeScript source: one line, every character visible. */
export function literal(value: string | number | boolean | null): string {
  return escapeInvisible(JSON.stringify(typeof value === 'string' ? value.toWellFormed() : value));
}

/** Turns invisible characters into escapes. For source in which they can stand inside string literals only. */
export function escapeInvisible(source: string): string {
  return source.replace(INVISIBLE, (character) =>
    [...Array(character.length).keys()].map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`).join(''),
  );
}

/** A property's name as TypeScript source: bare where that is legal, else a string literal. */
export function propertyKey(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : literal(name);
}

/**
 * A stranger's text as it may stand in a block comment: no way out of the comment, no tags of documentation tools, no
 * invisible characters, at most `maximum` UTF-16 units.
 */
export function commentText(text: string, maximum: number): string {
  const clean = text
    .slice(0, maximum * 2) // so that a megabyte is not searched to show a page
    .toWellFormed()
    .replace(/\r\n?|[\u0085\u2028\u2029]/g, '\n')
    .replaceAll('\t', '  ')
    .replace(INVISIBLE, (character) => (character === '\n' ? character : ''))
    .replace(/[^\S\n]+$/gm, '')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
  return shorten(clean, maximum)
    .replace(/\*(?=\/)/g, '*\\')
    .replace(/(^|[\s{*/])@(?=\w)/g, '$1\\@');
}

/** The first line of a text, as plain text for a list. */
export function firstLine(text: string, maximum: number): string {
  const [line = ''] = text
    .slice(0, 16 * maximum)
    .toWellFormed()
    .trimStart()
    .split(/[\n\r\u0085\u2028\u2029]/, 1);
  return shorten(line.replace(INVISIBLE, '').trim(), maximum);
}

/** A block comment in JSDoc form, from text that {@link commentText} made safe. */
export function blockComment(paragraphs: readonly string[]): string {
  const lines = paragraphs
    .filter((paragraph) => paragraph !== '')
    .join('\n\n')
    .split('\n');
  return ['/**', ...lines.map((line) => ` * ${line}`.trimEnd()), ' */'].join('\n');
}

function shorten(text: string, maximum: number): string {
  return text.length <= maximum
    ? text
    : `${text
        .slice(0, maximum - 3)
        .toWellFormed()
        .replace(/\uFFFD$/, '')}...`;
}
