import { changeBlock, changeTexts } from './hidden.ts';
import type { LargeResult } from './large-result.ts';

/** An escape of a half of a character: our guest writes whole ones as they are. */
const HALF = /\\ud[89a-f]/i;

const WARNING = {
  code: 'WARN_RESULT_TEXT',
  message:
    'The result has halves of characters (lone surrogates) in its texts. They are shown as U+FFFD, because not every client can read them.',
};

/**
 * A result whose texts every client can read. JSON can name halves of characters, but many readers refuse the whole message then, and the
 * agent would hear nothing at all.
 */
export function withWholeCharacters(found: LargeResult): LargeResult {
  const { value, json, blocks } = found;
  if (blocks.length === 0 && !HALF.test(json ?? JSON.stringify(value))) return found;
  let isChanged = false;
  const change = (text: string): string => {
    if (text.isWellFormed()) return text;
    isChanged = true;
    return text.toWellFormed();
  };
  const changed = { value: changeTexts(value, change), blocks: blocks.map((block) => changeBlock(block, change)) };
  if (!isChanged) return found;
  return { ...changed, kept: found.kept, warnings: [...found.warnings, WARNING] };
}
