import type { SearchAnswer, SearchHit, SearchSuggestions } from '../discovery/entry.ts';

/** An answer of `search_tools` as a model reads it: import lines to paste, and little else. */
export function renderSearch({ total, hits, nextCursor, suggestions }: SearchAnswer): string {
  if (suggestions) return renderNothing(suggestions);
  const lines = hits.map(renderHit);
  const hasBlocks = hits.some(({ types }) => types !== undefined);
  if (nextCursor !== undefined) lines.push(`${hits.length} of ${total}; the next: cursor ${JSON.stringify(nextCursor)}`);
  return lines.length === 0 ? 'No more.' : lines.join(hasBlocks ? '\n\n' : '\n');
}

function renderHit({ kind, import: line, signature, summary, types, note }: SearchHit): string {
  const notes = kind === 'tool' && note !== undefined ? `(${note})` : '';
  const about = [kind === 'skill' ? 'skill:' : '', notes, summary ?? ''].filter((part) => part !== '').join(' ');
  const comment = about === '' ? '' : ` // ${about}`;
  const lines = [signature === undefined ? `${line}${comment}` : `${line}\n  ${signature}${comment}`];
  if (note !== undefined && kind === 'skill') lines.push(`  // Note: ${note}`);
  if (types !== undefined) lines.push(types);
  return lines.join('\n');
}

function renderNothing({ words, servers, elsewhere, denied = 0 }: SearchSuggestions): string {
  const lines = ['Nothing found.'];
  if (elsewhere > 0) lines.push(`Other servers have ${elsewhere}: search without "server".`);
  if (denied > 0) lines.push(`There are ${denied} that your key or token may not call.`);
  if (words.length > 0) lines.push(`Words that are there: ${words.join(', ')}.`);
  const listed = servers.map(({ server, tools }) => `${server} (${tools})`).join(', ');
  lines.push(listed === '' ? 'No server is connected.' : `Servers: ${listed}.`);
  return lines.join('\n');
}
