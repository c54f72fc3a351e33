import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping';
import { LineTable } from './source-text.ts';

/** From a 1-based line and column of generated text to an offset in the text that esbuild read as `file`. */
export type OffsetLookup = (line: number, column: number) => number | undefined;

/** A place in one of the texts that a source map leads to: 1-based line, 0-based column. */
export interface SourcePlace {
  readonly source: string;
  readonly line: number;
  readonly column: number;
}

/** From a 1-based line and column of generated text to a place in any text that esbuild read. Reads the map at the first question. */
export function placeLookup(map: string): (line: number, column: number) => SourcePlace | undefined {
  let trace: TraceMap | undefined;
  return (line, column) => {
    trace ??= new TraceMap(map);
    if (line < 1 || column < 1) return undefined;
    const found = originalPositionFor(trace, { line, column: column - 1 });
    return found.line === null || found.source === null ? undefined : { source: found.source, line: found.line, column: found.column };
  };
}

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
