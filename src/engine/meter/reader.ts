import { refuse } from './failure.ts';
import type { Place } from './failure.ts';

/** Reads a WebAssembly module byte by byte. `position` and `end` are offsets in the module. */
export class Reader {
  readonly bytes: Uint8Array;
  readonly place: Place;
  position: number;
  end: number;

  constructor(bytes: Uint8Array, place: Place, position = 0, end = bytes.length) {
    this.bytes = bytes;
    this.place = place;
    this.position = position;
    this.end = end;
  }

  byte(): number {
    if (this.position >= this.end) this.refuse('it ends in the middle of something');
    return this.bytes[this.position++] ?? 0;
  }

  /** An unsigned LEB128 number of 32 bits. */
  u32(): number {
    const first = this.byte();
    if (first < 0x80) return first;
    let value = first & 0x7f;
    for (let shift = 7; shift <= 28; shift += 7) {
      const next = this.byte();
      value += (next & 0x7f) * 2 ** shift;
      if (next < 0x80) return value > 0xffffffff ? this.refuse('a number is longer than 32 bits') : value;
    }
    return this.refuse('a number is longer than 32 bits');
  }

  /** Passes over one LEB128 number of at most `maximumBytes`. */
  skipLeb(maximumBytes: number): void {
    for (let count = 0; count < maximumBytes; count++) {
      if (this.byte() < 0x80) return;
    }
    this.refuse('a number is too long');
  }

  skip(count: number): void {
    if (count > this.end - this.position) this.refuse('it ends in the middle of something');
    this.position += count;
  }

  name(): string {
    const length = this.u32();
    const start = this.position;
    this.skip(length);
    return new TextDecoder().decode(this.bytes.subarray(start, this.position));
  }

  /** A reader of the next `length` bytes, which this one passes over. */
  slice(length: number): Reader {
    const start = this.position;
    this.skip(length);
    return new Reader(this.bytes, this.place, start, this.position);
  }

  expectEnd(what: string): void {
    if (this.position !== this.end) this.refuse(`${what} is longer than what it holds`);
  }

  refuse(what: string, offset = this.position): never {
    return refuse(this.place, offset, what);
  }
}
