import { graphemeSegments } from 'unicode-segmenter/grapheme';

/** Where what a reader sees as characters ends, one after the other. */
export function* graphemeEnds(text: string): Generator<number, undefined> {
  for (const { index, segment } of graphemeSegments(text)) yield index + segment.length;
  return undefined;
}
