import type { Made } from './bundle-form.ts';
import type { Edit } from './scan-result.ts';
import { LineTable } from './source-text.ts';

/** The bundle with other texts in some places of its script, none of which has a line end. Positions stay those of the agent's text. */
export function withEdits({ bundle, size }: Made, edits: readonly Edit[]): Made {
  if (edits.length === 0) return { bundle, size };
  const before = bundle.script;
  let script = '';
  let end = 0;
  for (const edit of edits) {
    script += before.slice(end, edit.start) + (edit.text ?? '');
    end = edit.end;
  }
  script += before.slice(end);
  let tables: { before: LineTable; after: LineTable } | undefined;
  const locate: typeof bundle.locate = (line, column) => {
    if (line < 1 || column < 1) return undefined;
    tables ??= { before: new LineTable(before, 'script'), after: new LineTable(script, 'script') };
    const place = tables.before.placeAt(oldOffset(tables.after.offsetAt(line, column - 1), edits));
    return bundle.locate(place.line, place.column);
  };
  return { bundle: { script, locate }, size: size + script.length };
}

/** Where an offset of the new text was in the old one; inside of a new text, its begin. */
function oldOffset(offset: number, edits: readonly Edit[]): number {
  let shift = 0;
  for (const { start, end, text = '' } of edits) {
    if (offset < start + shift) break;
    if (offset < start + shift + text.length) return start;
    shift += text.length - (end - start);
  }
  return offset - shift;
}
