const ESCAPE = /\\u(?:([\da-f]{4})|\{0*([\da-f]{1,6})\})/giu;

/** `wanted`, made longer until it does not occur in the text, as it stands there or with characters of it as escapes. */
export function freeName(wanted: string, text: string): string {
  const plain = text.includes('\\u') ? text.replaceAll(ESCAPE, unescaped) : text;
  let more = 0;
  // One pass: to try one name after the other would be slow in a text that has them all.
  for (const [, underscores = ''] of plain.matchAll(new RegExp(`${wanted.replaceAll('$', String.raw`\$`)}(_*)`, 'gu'))) {
    more = Math.max(more, underscores.length + 1);
  }
  return wanted + '_'.repeat(more);
}

function unescaped(escape: string, four: string | undefined, braced: string | undefined): string {
  const codePoint = Number.parseInt(four ?? braced ?? '', 16);
  return codePoint < 0x80 ? String.fromCharCode(codePoint) : escape;
}
