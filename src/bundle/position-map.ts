import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping';
import { LineTable } from './source-text.ts';

/** From a 1-based line and column of generated text to an offset in the text that esbuild read as `file`. */
export type OffsetLookup = (line: number, column: number) => number | undefined;

/** Reads a source map, at the first question and not before. */
export function offsetLookup(map: string, file: string, text: string): OffsetLookup {
  let opened: { trace: TraceMap; lines: LineTable } | undefined;
  return (line, column) => {
    opened ??= { trace: new TraceMap(map), lines: new LineTable(text, 'script') };
    if (line < 1 || column < 1) return undefined;
    const found = originalPositionFor(opened.trace, { line, column: column - 1 });
    if (found.line === null || found.source !== file) return undefined;
    return opened.lines.offsetAt(found.line, found.column);
  };
}
