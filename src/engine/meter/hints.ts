import { Writer } from './writer.ts';

const SECTION_NAME = 'metadata.code.branch_hint';
const UNLIKELY = 0;

/**
 * Collects the branch hints of a module: the custom section of the branch hinting proposal, which says that calls of
 * `refuel` are rare. Without it the call, which is hardly ever made, costs registers in every loop. An engine that does
 * not know the section ignores it.
 */
export class BranchHints {
  private readonly functions = new Writer(1 << 18);
  private readonly hints = new Writer(1 << 12);
  private functionCount = 0;
  private hintCount = 0;

  /** The `if` at `offset`, counted from the start of the function's body, is rarely taken. In order of offset. */
  unlikely(offset: number): void {
    this.hints.u32(offset);
    this.hints.u32(1); // length of the value
    this.hints.byte(UNLIKELY);
    this.hintCount++;
  }

  /** Ends a function. In order of index. */
  endFunction(functionIndex: number): void {
    if (this.hintCount === 0) return;
    this.functions.u32(functionIndex);
    this.functions.u32(this.hintCount);
    this.functions.copy(this.hints.view());
    this.functionCount++;
    this.hints.clear();
    this.hintCount = 0;
  }

  /** Writes the contents of the custom section, which has to stand before the code. */
  write(out: Writer): void {
    out.name(SECTION_NAME);
    out.u32(this.functionCount);
    out.copy(this.functions.view());
  }
}
