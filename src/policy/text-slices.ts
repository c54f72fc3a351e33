/** Characters that are looked at at once, before others have their turn. */
const SLICE_CHARS = 64 * 1024;

/** A long text in slices that overlap by so many characters: whatever is no longer than that is whole in one of them. */
export function* textSlices(text: string, overlap: number): Generator<string, void> {
  for (let from = 0; ; from += SLICE_CHARS - overlap) {
    yield from === 0 && text.length <= SLICE_CHARS ? text : text.slice(from, from + SLICE_CHARS);
    if (from + SLICE_CHARS >= text.length) return;
  }
}
