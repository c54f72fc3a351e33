import type { WrapperTool } from '../wrappers/wrapper-set.ts';

const MAX_WORDS = 5;
const MAX_TITLE = 40;
/** Words that say nothing of what a server is about. */
const EMPTY_WORDS = new Set('all and as by for from in info list many multiple new of on or the to with'.split(' '));

/** What a server is for, in a few words: its title, where it has one of its own, and what the names of its functions are about. */
export function serverTopics(tools: readonly WrapperTool[], title = ''): string {
  const [server = '', folder = ''] = [tools[0]?.server, tools[0]?.folder];
  const own = title
    .replaceAll(/[^\p{L}\p{N} .,&+/-]+/gu, ' ')
    .trim()
    .slice(0, MAX_TITLE)
    .toWellFormed();
  const isTelling = own !== '' && ![bare(server), bare(folder)].includes(bare(own));
  return [...(isTelling ? [own] : []), ...commonWords(tools)].join(', ');
}

/** The words that most of the functions have, besides the verbs that they begin with. */
function commonWords(tools: readonly WrapperTool[]): string[] {
  const counts = new Map<string, number>();
  for (const { functionName } of tools) {
    const [, ...words] = functionName
      .replaceAll(/[^A-Za-z]+/g, ' ')
      .replaceAll(/([a-z])([A-Z])/g, '$1 $2')
      .toLowerCase()
      .split(' ');
    for (const word of new Set(words.map(singular))) {
      if (word.length > 1 && !EMPTY_WORDS.has(word)) counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  }
  const most = Math.max(0, ...counts.values());
  return [...counts]
    .filter(([, count]) => count > 1 || most === 1)
    .toSorted(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    .slice(0, MAX_WORDS)
    .map(([word]) => word);
}

function singular(word: string): string {
  if (word.endsWith('ies') && word.length > 4) return `${word.slice(0, -3)}y`;
  return word.length > 3 && word.endsWith('s') && !word.endsWith('ss') ? word.slice(0, -1) : word;
}

function bare(text: string): string {
  return text.toLowerCase().replaceAll(/[^\p{L}\p{N}]+|mcp|server/gu, '');
}
