import { SandboxError } from '../errors.ts';
import type { ListOutline, Outline, RecordOutline, SeenJson } from './outline.ts';

/** Values that an outline holds, and children of one container. */
const MAX_OUTLINE = 20_000;
const MAX_CHILDREN = 1_000;
const MAX_DEPTH = 64;
/** At least so many bytes lie between two marks. */
const MARK_BYTES = 64 * 1024;

/** An open container. */
interface Open {
  readonly outline: ListOutline | RecordOutline;
  key: string | undefined;
  expectsKey: boolean;
  commas: number;
}

/** Grows the outline of a text from its values, in their order. Everything is counted; what has no place in the outline is not kept. */
export class OutlineTree {
  readonly #open: Open[] = [];
  readonly #marks: [number, number][] = [];
  #root: Outline | undefined;
  #kept = 0;
  #values = 0;
  #depth = 0;
  /** Containers inside each other that are only counted through. */
  #skipped = 0;

  /** Whether the innermost container is only counted through: keys are not told from values there. */
  get isSkipping(): boolean {
    return this.#skipped > 0;
  }

  /** Whether a string that comes now is the key of a member. */
  get expectsKey(): boolean {
    return this.#open.at(-1)?.expectsKey === true;
  }

  /** Whether the outline has room for one more child of the innermost container. */
  get hasPlace(): boolean {
    const outline = this.#open.at(-1)?.outline;
    if (!outline) return true;
    const children = outline.kind === 'list' ? outline.items.length : outline.members.length;
    return children < MAX_CHILDREN && this.#kept < MAX_OUTLINE && this.#open.length <= MAX_DEPTH;
  }

  /** A value that is only counted, or a key there: the count is only a bound. */
  skip(): void {
    this.#values++;
  }

  /** @param key undefined: too long to be kept */
  key(key: string | undefined): void {
    const parent = this.#open.at(-1);
    if (!parent) return;
    parent.expectsKey = false;
    parent.key = key;
  }

  begin(isList: boolean, at: number): void {
    this.#depth = Math.max(this.#depth, this.#open.length + this.#skipped + 1);
    if (this.#skipped > 0) {
      this.#skipped++;
      this.#values++;
      return;
    }
    const outline: Outline = isList
      ? { kind: 'list', start: at, end: at, items: [], total: 0 }
      : { kind: 'record', start: at, end: at, members: [], total: 0 };
    // One that has a place still tells how many children it has, also where none of them has one.
    if (this.add(outline, at)) this.#open.push({ outline, key: undefined, expectsKey: !isList, commas: 0 });
    else this.#skipped = 1;
  }

  /** @param at behind the container */
  end(at: number): void {
    if (this.#skipped > 0) {
      this.#skipped--;
      return;
    }
    const closed = this.#open.pop();
    if (!closed || closed.commas !== Math.max(0, closed.outline.total - 1)) throw notJson();
    closed.outline.end = at;
  }

  comma(): void {
    const parent = this.#open.at(-1);
    if (this.#skipped > 0 || !parent) return;
    parent.commas++;
    parent.expectsKey = parent.outline.kind === 'record';
  }

  /** @param at where it begins, its quotes too @returns whether the value has a place in the outline */
  add(value: Outline, at: number): boolean {
    this.#values++;
    const parent = this.#open.at(-1);
    if (!parent) {
      if (this.#root) throw notJson();
      this.#root = value;
      return true;
    }
    const { outline, key } = parent;
    const number = outline.total++;
    if (this.#open.length === 1 && outline.kind === 'list') this.#mark(number, at);
    if (!this.hasPlace) return false;
    if (outline.kind === 'list') outline.items.push(value);
    else if (key === undefined) return false;
    else outline.members.push({ key, value });
    this.#kept++;
    return true;
  }

  /** All of the text has been seen. @throws SandboxError ERR_EXECUTE_RESULT_INVALID when it is not whole */
  seen(): SeenJson {
    if (!this.#root || this.#open.length > 0 || this.#skipped > 0) throw notJson();
    return { root: this.#root, marks: this.#marks, depth: this.#depth, values: this.#values };
  }

  #mark(number: number, at: number): void {
    const last = this.#marks.at(-1);
    if (!last || at - last[1] >= MARK_BYTES) this.#marks.push([number, at]);
  }
}

export function notJson(): SandboxError {
  return new SandboxError('ERR_EXECUTE_RESULT_INVALID', 'The result is not valid JSON.');
}
