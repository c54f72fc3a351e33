import type { ContentBlock } from '@modelcontextprotocol/server';

/** The revisions that brought kinds of content: a client of an older one refuses the whole answer for a block that it does not know. */
const SINCE: ReadonlyMap<ContentBlock['type'], string> = new Map([
  ['audio', '2025-03-26'],
  ['resource_link', '2025-06-18'],
]);
/** Over HTTP a client that names no revision speaks this one. */
const UNNAMED = '2025-03-26';

/** Content as a client of that revision can read it: in the place of a kind that it does not know a text says what it was. */
export function knownContent(blocks: readonly ContentBlock[], version: string = UNNAMED): ContentBlock[] {
  // Revisions are dates, so their order is that of their names.
  return blocks.map((block) => (version >= (SINCE.get(block.type) ?? '') ? block : { type: 'text', text: wordsFor(block) }));
}

function wordsFor(block: ContentBlock): string {
  if (block.type === 'resource_link') return `[${block.name}: ${block.uri}]`;
  return `[${block.type} that this client's revision of MCP has no content for]`;
}
