export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
}

export interface Log {
  append(level: string, message: string): void;
  readonly entries: readonly LogLine[];
  /** Bytes of UTF-8 that were left out because the log was full. */
  readonly droppedBytes: number;
}

const levels: ReadonlySet<string> = new Set<LogLevel>(['debug', 'info', 'warn', 'error']);
/** Each entry costs this much beside its text, so that a flood of empty lines is bounded too. */
const ENTRY_BYTES = 16;
// Controls other than \t and \n, and the marks that reorder or hide text in a terminal or a model's view.
const unsafe =
  // oxlint-disable-next-line no-control-regex -- these are what it is about
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;

/** An image or the like as a program logs it. It tells nobody anything and fills the log. */
const encoded = /((?:["']?\b(?:data|blob)["']?: ?["'`])|;base64,)([A-Za-z0-9+/]{256,}={0,2})/g;
const ENCODED_LEAST = 256;

/** The log of one run. Holds at most `maxBytes` of UTF-8; the line that crosses is cut, what follows is counted and dropped. */
export function createLog(maxBytes: number): Log {
  const entries: LogLine[] = [];
  let left = maxBytes;
  let droppedBytes = 0;
  const append = (level: string, message: string): void => {
    // Each unit is at least a byte, so that what lies behind the limit need not be looked at.
    const told = message.length > ENCODED_LEAST ? withoutEncoded(message) : message;
    const scanned = told.length > maxBytes ? told.slice(0, maxBytes) : told;
    const text = harmless(scanned);
    const kept = left <= 0 ? '' : cutToBytes(text, left - ENTRY_BYTES);
    const bytes = Buffer.byteLength(kept);
    droppedBytes += Buffer.byteLength(text) - bytes + Buffer.byteLength(told.slice(scanned.length));
    if (left < ENTRY_BYTES || (kept === '' && text !== '')) {
      left = kept === '' ? Math.min(left, 0) : left;
      return;
    }
    left -= bytes + ENTRY_BYTES;
    entries.push({ level: levels.has(level) ? (level as LogLevel) : 'info', message: kept });
    if (kept !== text) left = 0;
  };
  return {
    append,
    entries,
    get droppedBytes() {
      return droppedBytes;
    },
  };
}

/** Text with base64 that is the data of a content block replaced by its length. */
function withoutEncoded(text: string): string {
  return text.replaceAll(encoded, (_all, before: string, data: string) => `${before}… (${data.length} characters of base64)`);
}

/** Text in which nothing moves a cursor, turns direction or hides: such characters become visible escapes. */
export function harmless(text: string): string {
  return text.toWellFormed().replaceAll('\r\n', '\n').replaceAll(unsafe, visible);
}

function visible(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`;
}

function cutToBytes(text: string, bytes: number): string {
  if (bytes <= 0) return '';
  if (text.length * 3 <= bytes || Buffer.byteLength(text) <= bytes) return text;
  const buffer = Buffer.from(text);
  let end = bytes;
  // A continuation byte at the cut means that the code point before it would be halved.
  while (end > 0 && ((buffer[end] ?? 0) & 0xc0) === 0x80) end--;
  return buffer.toString('utf8', 0, end);
}
