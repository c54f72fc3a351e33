import { countElements, MAX_MESSAGE_ELEMENTS } from './element-count.ts';

const NEWLINE = 0x0a;
/** How much of an oversized line is kept at each end, to find out which request it answers. */
const KEPT_BYTES = 256;

export interface LineSinks {
  /** One line without its end. */
  readonly line: (line: string) => void;
  /** A line over the limit has ended. Its first and last few bytes are known, and all of it where it may be kept. */
  readonly oversized: (head: string, tail: string, whole: Buffer | undefined) => void;
  /** A line is over twice the limit and still has no end: whoever sends this will not stop. */
  readonly flooded: () => void;
}

/** Splits bytes into lines while holding at most `maxBytes` of them, or `keptBytes` of a line that nobody is going to parse. */
export class LineReader {
  readonly #maxBytes: number;
  readonly #sinks: LineSinks;
  readonly #keptBytes: number;
  #chunks: Buffer[] = [];
  /** Bytes of the current line so far, whether kept or thrown away. */
  #length = 0;
  /** Values in the current line so far. */
  #elements = 0;
  #head = '';
  #tail: Buffer = Buffer.alloc(0);
  #over = false;

  constructor(maxBytes: number, sinks: LineSinks, keptBytes = 0) {
    this.#maxBytes = maxBytes;
    this.#keptBytes = keptBytes;
    this.#sinks = sinks;
  }

  push(chunk: Buffer): void {
    let rest = chunk;
    for (let end = rest.indexOf(NEWLINE); end !== -1; end = rest.indexOf(NEWLINE)) {
      this.#append(rest.subarray(0, end));
      this.#endLine();
      rest = rest.subarray(end + 1);
    }
    if (rest.length > 0) this.#append(rest);
  }

  #append(bytes: Buffer): void {
    this.#length += bytes.length;
    if (!this.#over) this.#elements += countElements(bytes);
    if (!this.#over && this.#length <= this.#maxBytes && this.#elements <= MAX_MESSAGE_ELEMENTS) {
      this.#chunks.push(bytes);
      return;
    }
    if (!this.#over) this.#startDropping(bytes);
    if (this.#length <= this.#keptBytes) this.#chunks.push(bytes);
    else this.#chunks = [];
    this.#tail = Buffer.concat([this.#tail, bytes.subarray(-KEPT_BYTES)]).subarray(-KEPT_BYTES);
    if (this.#length > 2 * this.#maxBytes) this.#sinks.flooded();
  }

  /** The line may be over its limit with the bytes that it begins with. */
  #startDropping(next: Buffer): void {
    const kept = Buffer.concat(this.#chunks);
    this.#over = true;
    this.#head = Buffer.concat([kept.subarray(0, KEPT_BYTES), next.subarray(0, KEPT_BYTES)])
      .subarray(0, KEPT_BYTES)
      .toString();
    this.#tail = Buffer.from(kept.subarray(-KEPT_BYTES));
  }

  #endLine(): void {
    const [chunks, over, head, tail] = [this.#chunks, this.#over, this.#head, this.#tail.toString()];
    const isKept = this.#length <= this.#keptBytes;
    this.#chunks = [];
    this.#length = 0;
    this.#elements = 0;
    this.#over = false;
    if (over) this.#sinks.oversized(head, tail, isKept ? Buffer.concat(chunks) : undefined);
    else this.#sinks.line(Buffer.concat(chunks).toString().replace(/\r$/, ''));
  }
}
