/** What is to be changed at one place of a function body, besides the charges of its segments. */
export const EDIT = {
  /** A global index moves up by one. */
  global: 0,
  /** memory.size becomes a call of the host. */
  size: 1,
  /** memory.grow becomes a call of the host. */
  grow: 2,
  /** A charge by length goes before a bulk operation. */
  bulk: 3,
} as const;

/** Edits of one function in order of position: parallel arrays, used again for the next function. */
export class EditList {
  count = 0;
  /** Offset of the instruction in the module. */
  positions = new Uint32Array(256);
  /** A value of EDIT. */
  kinds = new Uint8Array(256);

  add(position: number, kind: number): void {
    if (this.count === this.positions.length) this.grow();
    this.positions[this.count] = position;
    this.kinds[this.count++] = kind;
  }

  private grow(): void {
    const positions = new Uint32Array(this.count * 2);
    const kinds = new Uint8Array(this.count * 2);
    positions.set(this.positions);
    kinds.set(this.kinds);
    this.positions = positions;
    this.kinds = kinds;
  }
}
