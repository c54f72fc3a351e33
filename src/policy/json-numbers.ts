const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const MEMBER = /\s*:/y;
/** Numbers of fewer characters are nobody's. */
const MIN_CHARS = 6;

/**
 * A JSON text with some of its numbers replaced by texts, every byte of the rest as it was. Takes text or bytes read as Latin-1; what it puts in is ASCII.
 * @param change what stands for a number, given the name of the member that it last met; undefined leaves it
 */
export function changeNumbers(json: string, change: (value: number, key: string | undefined) => string | undefined): string {
  let changed = '';
  let copied = 0;
  let key: string | undefined;
  for (let at = 0; at < json.length; at++) {
    const unit = json.charCodeAt(at);
    if (unit === 34) {
      const end = endOfString(json, at);
      MEMBER.lastIndex = end + 1;
      if (MEMBER.test(json)) key = json.slice(at + 1, end);
      at = end;
    } else if (unit === 45 || (unit >= 48 && unit <= 57)) {
      NUMBER.lastIndex = at;
      const text = NUMBER.exec(json)?.[0] ?? ' ';
      const token = text.length < MIN_CHARS ? undefined : change(Number(text), key);
      if (token !== undefined) {
        changed += json.slice(copied, at) + asciiJson(token);
        copied = at + text.length;
      }
      at += text.length - 1;
    }
  }
  return copied === 0 ? json : changed + json.slice(copied);
}

/** Index of the quote that ends the string beginning at `start`, or of the end of the text. */
function endOfString(json: string, start: number): number {
  for (let at = json.indexOf('"', start + 1); at >= 0; at = json.indexOf('"', at + 1)) {
    let slashes = 0;
    while (json.charCodeAt(at - 1 - slashes) === 92) slashes++;
    if (slashes % 2 === 0) return at;
  }
  return json.length;
}

function asciiJson(text: string): string {
  return JSON.stringify(text).replaceAll(/[^ -~]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
