import type { Edit, Scan } from './scan-result.ts';
import { blank } from './source-text.ts';

const MODULE_MARK = 'export {};';

/** A namespace as plain statements, and the way back into the text that it came from. */
export interface LoweredNamespace {
  readonly text: string;
  /** Offset in the namespace's own text for an offset in `text`. */
  sourceOf(offset: number): number | undefined;
}

interface Segment {
  readonly start: number;
  readonly end: number;
  readonly sourceOf: (offset: number) => number | undefined;
}

/** The module that esbuild sees: the agent's imports, then the rest as one async function. */
export interface ProgramText {
  readonly text: string;
  /** The agent's offset for an offset in `text`; undefined for what we added. */
  sourceOf(offset: number): number | undefined;
}

/**
 * Puts the agent's statements into a function, which lets `return` and `await` stand where agents write them.
 * @param before - statements of ours around the function.
 */
export function composeProgram(source: string, scan: Scan, lowered: readonly LoweredNamespace[], before = ''): ProgramText {
  const writer = new SegmentWriter(source);
  for (const { start, end } of scan.imports) {
    writer.copy(start, end);
    writer.add(';\n');
  }
  // An export makes it a module for esbuild, so strict mode rules are checked here and not first in the engine.
  writer.add(`${before}${MODULE_MARK}\n${scan.programName} = async () => {let ${scan.resultName};\n`);
  let position = 0;
  for (const edit of orderedEdits(scan, lowered)) {
    // A range inside an erased one (a declaration behind its erased `export`) is gone already.
    const start = Math.max(edit.start, position);
    writer.copy(position, start);
    if (edit.namespace !== undefined) writer.addLowered(edit.namespace, edit.start);
    else if (edit.text === undefined) writer.copyBlank(start, Math.max(edit.end, start));
    else writer.add(edit.text, edit.end > edit.start ? edit.start : undefined);
    position = Math.max(edit.end, position);
  }
  writer.copy(position, source.length);
  writer.add(scan.tail === '' ? '\n};' : `\n;return ${scan.tail};\n};`);
  return writer.finish();
}

/** A composed program that begins as a module, in a form that a function body can hold. Nothing moves. */
export function blankModule(text: string): string {
  return text.startsWith(MODULE_MARK) ? blank(MODULE_MARK) + text.slice(MODULE_MARK.length) : text;
}

interface AnyEdit extends Edit {
  readonly namespace?: LoweredNamespace | undefined;
}

function orderedEdits(scan: Scan, lowered: readonly LoweredNamespace[]): AnyEdit[] {
  const namespaces = scan.namespaces.map(({ start, end }, index) => ({ start, end, namespace: lowered[index] }));
  return [...scan.edits, ...namespaces].sort((a, b) => a.start - b.start || a.end - b.end);
}

class SegmentWriter {
  readonly #source: string;
  readonly #segments: Segment[] = [];
  #text = '';

  constructor(source: string) {
    this.#source = source;
  }

  copy(start: number, end: number): void {
    if (start >= end) return;
    this.#segment(this.#source.slice(start, end), (offset) => start + offset);
  }

  copyBlank(start: number, end: number): void {
    if (start >= end) return;
    this.#segment(blank(this.#source.slice(start, end)), (offset) => start + offset);
  }

  add(text: string, source?: number): void {
    if (source === undefined) this.#text += text;
    else this.#segment(text, () => source);
  }

  addLowered(namespace: LoweredNamespace, start: number): void {
    this.#segment(namespace.text, (offset) => {
      const inside = namespace.sourceOf(offset);
      return inside === undefined ? start : start + inside;
    });
  }

  finish(): ProgramText {
    const segments = this.#segments;
    return {
      text: this.#text,
      sourceOf(offset) {
        const segment = segments.findLast(({ start }) => start <= offset);
        return segment === undefined || offset > segment.end ? undefined : segment.sourceOf(offset - segment.start);
      },
    };
  }

  #segment(text: string, sourceOf: Segment['sourceOf']): void {
    this.#segments.push({ start: this.#text.length, end: this.#text.length + text.length, sourceOf });
    this.#text += text;
  }
}
