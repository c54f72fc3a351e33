import { after, classTable } from './break-classes.ts';
import { SENTENCE, SENTENCE_RUNS } from './break-data.ts';
import { lazily } from './lazily.ts';

/** The breaks between sentences of UAX #29. */

const classAt = lazily(() => classTable(SENTENCE_RUNS));
const { paragraph, extend, space, lower, upper, letter, number, mayEnd, ends, goesOn, close } = SENTENCE;

/** How far the end of a sentence has been seen: not at all, its mark, quotes and brackets that close after it, spaces after these. */
type Seen = 'nothing' | 'mark' | 'close' | 'space';

/** Where the sentence ends that begins at an index, which is below the text's length. */
export function sentenceEnd(text: string, from: number): number {
  const at = classAt();
  let seen: Seen = 'nothing';
  /** The class of the end mark, of the last character that is not ignored, and of the one before the mark. */
  let [mark, last, beforeMark] = [-1, -1, -1];
  for (let end = from; end < text.length; end = after(text, end)) {
    const next = at(text, end);
    if (last === paragraph) return text.startsWith('\r\n', end - 1) ? end + 1 : end;
    if (next === extend && last !== -1) continue;
    if (seen !== 'nothing' && !goesOnAt(text, end, { seen, mark, beforeMark })) return end;
    if (next === mayEnd || next === ends) {
      [seen, mark, beforeMark] = ['mark', next, last];
    } else if (seen !== 'nothing') seen = seenAfter(seen, next);
    last = next;
  }
  return text.length;
}

function seenAfter(seen: Seen, next: number): Seen {
  if (next === space) return 'space';
  return next === close && seen !== 'space' ? 'close' : 'nothing';
}

/** SB6 to SB10: whether the sentence goes on after what may be its end. */
function goesOnAt(text: string, at: number, end: { seen: Seen; mark: number; beforeMark: number }): boolean {
  const next = classAt()(text, at);
  if (next === space || next === paragraph || next === goesOn || next === mayEnd || next === ends) return true;
  if (next === close && end.seen !== 'space') return true;
  if (end.mark !== mayEnd) return false;
  if (end.seen === 'mark') {
    if (next === number) return true;
    if (next === upper && (end.beforeMark === upper || end.beforeMark === lower)) return true;
  }
  return isLowerNext(text, at);
}

/** SB8: a letter follows before anything else that counts, and it is a small one. */
function isLowerNext(text: string, from: number): boolean {
  const classOf = classAt();
  for (let at = from; at < text.length; at = after(text, at)) {
    const next = classOf(text, at);
    if (next === lower) return true;
    if (next === letter || next === upper || next === paragraph || next === mayEnd || next === ends) return false;
  }
  return false;
}
