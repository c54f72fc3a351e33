import { setImmediate as nextTurn } from 'node:timers/promises';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const BLANK = 0x20;
/** Bytes that are worked on before others have their turn. */
const SLICE_BYTES = 64 * 1024;
/**
 * Text that is changed at once, in bytes. A longer one is divided between two words if there are some near, else at a blank: numbers and keys, which a
 * change may look for, have blanks in them too.
 */
const CHUNK_BYTES = 64 * 1024;
const WORDS_SEARCH_BYTES = 24 * 1024;
const BLANK_SEARCH_BYTES = 8 * 1024;

/** A change of text, such as the hiding of personal data. */
export type ChangeText = (text: string) => string;

/** A JSON text with all its strings changed, keys too. Works in slices; what does not change is copied once, at the end. */
export async function changeStrings(bytes: Uint8Array, change: ChangeText): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let copied = 0;
  let rested = 0;
  let at = bytes.indexOf(QUOTE);
  while (at !== -1) {
    for (let from = at + 1, isOver = false; !isOver;) {
      const { to, endsString } = nextChunk(bytes, from);
      const text = decoded(bytes, from, to);
      const changed = change(text);
      if (changed !== text) {
        parts.push(bytes.subarray(copied, from), Buffer.from(JSON.stringify(changed).slice(1, -1)));
        copied = to;
      }
      from = to;
      isOver = endsString;
      at = to;
      if (to - rested > SLICE_BYTES) {
        rested = to;
        await nextTurn();
      }
    }
    at = bytes.indexOf(QUOTE, at + 1);
  }
  return copied === 0 ? bytes : Buffer.concat([...parts, bytes.subarray(copied)]);
}

/** The text that a string of a JSON text says, as UTF-8. Works in slices. */
export async function decodeString(bytes: Uint8Array, { start, end }: { start: number; end: number }): Promise<Uint8Array> {
  const whole = bytes.subarray(start, end);
  if (!whole.includes(BACKSLASH)) return whole;
  const parts: Uint8Array[] = [];
  for (let from = start; from < end;) {
    const { to } = nextChunk(bytes, from);
    parts.push(Buffer.from(decoded(bytes, from, to)));
    from = to;
    await nextTurn();
  }
  return Buffer.concat(parts);
}

/** Where the part of a string that begins at `from` ends: at the string's end, or where neither a character nor an escape is cut. */
function nextChunk(bytes: Uint8Array, from: number): { to: number; endsString: boolean } {
  const most = from + CHUNK_BYTES;
  let at = from;
  let blank = -1;
  let words = -1;
  while (at < most && at < bytes.length) {
    const byte = bytes[at] ?? 0;
    if (byte === QUOTE) return { to: at, endsString: true };
    if (byte === BACKSLASH) at += escapeLength(bytes, at);
    else {
      at += byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
      if (byte === BLANK) {
        blank = at;
        if (isSmallLetter(bytes[at - 2]) && isSmallLetter(bytes[at])) words = at;
      }
    }
  }
  if (words > Math.max(from, at - WORDS_SEARCH_BYTES)) return { to: words, endsString: at >= bytes.length };
  return { to: blank > Math.max(from, at - BLANK_SEARCH_BYTES) ? blank : Math.min(at, bytes.length), endsString: at >= bytes.length };
}

function isSmallLetter(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x61 && byte <= 0x7a;
}

/** Two escapes that say one character belong together. */
function escapeLength(bytes: Uint8Array, at: number): number {
  if (bytes[at + 1] !== 0x75) return 2;
  const isPair = ((bytes[at + 2] ?? 0) | 0x20) === 0x64 && bytes[at + 6] === BACKSLASH && bytes[at + 7] === 0x75;
  return isPair ? 12 : 6;
}

function decoded(bytes: Uint8Array, start: number, end: number): string {
  return JSON.parse(`"${Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8')}"`) as string;
}
