export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
}

export interface Log {
  /** @param unreadBytes how much of the message is missing, because there is no room for it in any case. */
  append(level: string, message: string, unreadBytes?: number): void;
  /** Bytes of the next message that are worth reading. */
  readonly messageBytes: number;
  /** The lines; without those that went into {@link Log.bytes}. */
  readonly entries: readonly LogLine[];
  /** Bytes of UTF-8 that were left out because the log was full. */
  readonly droppedBytes: number;
  /** How much of the log is kept as bytes, outside of the heap that all runs of a thread share. */
  readonly keptBytes: number;
  /** All lines as JSON, one after the other, when the log is large; else undefined. */
  bytes(): Uint8Array | undefined;
  /** All of it, to go on with in another log. */
  snapshot(): LogState;
}

/** A log that is put away. */
export interface LogState {
  /** Bytes for which there is still room. */
  readonly left: number;
  readonly droppedBytes: number;
  readonly entries: readonly LogLine[];
  /** What is kept as bytes; undefined when the log is not large. */
  readonly kept?: Uint8Array | undefined;
}

const levels: ReadonlySet<string> = new Set<LogLevel>(['debug', 'info', 'warn', 'error']);
/** Each entry costs this much beside its text, so that a flood of empty lines is bounded too. */
const ENTRY_BYTES = 16;
/** From so many characters on, with so many for each line beside its text, lines become bytes. */
const LARGE_CHARACTERS = 64 * 1024;
const LINE_CHARACTERS = 32;
// Controls other than \t and \n, and the marks that reorder or hide text in a terminal or a model's view.
const unsafe =
  // oxlint-disable-next-line no-control-regex -- these are what it is about
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;

/** An image or the like as a program logs it. It tells nobody anything and fills the log. */
const encoded = /((?:["']?\b(?:data|blob)["']?: ?["'`])|;base64,)([A-Za-z0-9+/]{256,}={0,2})/g;
const ENCODED_LEAST = 256;
/** Bytes of UTF-8. */
const LONGEST_CHARACTER = 4;

/**
 * The log of one run. Holds at most `maxBytes` of UTF-8; the line that crosses is cut, what follows is counted and dropped.
 * @param from where another log was put away.
 */
export function createLog(maxBytes: number, from: LogState = { left: maxBytes, droppedBytes: 0, entries: [] }): Log {
  const entries = [...from.entries];
  const pieces = createPieces(entries, from.kept);
  let { left, droppedBytes } = from;
  const append = (level: string, message: string, unreadBytes = 0): void => {
    droppedBytes += unreadBytes;
    // Nobody will read it: to make it harmless would only take time.
    if (left <= 0) return void (droppedBytes += Buffer.byteLength(message));
    // Each unit is at least a byte, so that what lies behind the limit need not be looked at.
    const told = message.length > ENCODED_LEAST ? withoutEncoded(message) : message;
    const scanned = told.length > maxBytes ? told.slice(0, maxBytes) : told;
    const text = harmless(scanned);
    const kept = cutToBytes(text, left - ENTRY_BYTES);
    const bytes = Buffer.byteLength(kept);
    droppedBytes += Buffer.byteLength(text) - bytes + Buffer.byteLength(told.slice(scanned.length));
    if (left < ENTRY_BYTES || (kept === '' && text !== '')) {
      left = kept === '' ? Math.min(left, 0) : left;
      return undefined;
    }
    left -= bytes + ENTRY_BYTES;
    entries.push({ level: levels.has(level) ? (level as LogLevel) : 'info', message: kept });
    pieces.added(kept.length);
    if (kept !== text || unreadBytes > 0) left = 0;
    return undefined;
  };
  return {
    append,
    entries,
    bytes: () => pieces.bytes(),
    snapshot: () => ({ left, droppedBytes, entries: [...entries], kept: pieces.kept() }),
    get messageBytes() {
      return left <= 0 ? 0 : maxBytes + LONGEST_CHARACTER;
    },
    get droppedBytes() {
      return droppedBytes;
    },
    get keptBytes() {
      return pieces.keptBytes();
    },
  };
}

interface Pieces {
  added(characters: number): void;
  keptBytes(): number;
  /** What was taken out of the list, as one. */
  kept(): Uint8Array | undefined;
  bytes(): Uint8Array | undefined;
}

/** Takes lines out of a list and keeps them as bytes whenever they are many: many runs of one thread may have full logs at once. */
function createPieces(entries: LogLine[], first: Uint8Array | undefined): Pieces {
  const pieces = first ? [first] : [];
  let characters = entries.reduce((sum, { message }) => sum + message.length + LINE_CHARACTERS, 0);
  let keptBytes = first?.length ?? 0;
  const kept = (): Uint8Array | undefined => (pieces.length > 1 ? joined(pieces, keptBytes) : pieces[0]);
  const take = (): void => {
    const piece = new TextEncoder().encode(entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
    pieces.push(piece);
    keptBytes += piece.length;
    entries.length = 0;
    characters = 0;
  };
  return {
    added(more) {
      characters += more + LINE_CHARACTERS;
      if (characters > LARGE_CHARACTERS) take();
    },
    keptBytes: () => keptBytes,
    kept,
    bytes() {
      if (pieces.length > 0 && entries.length > 0) take();
      return kept();
    },
  };
}

/** Memory of its own, because it changes threads. */
function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
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
