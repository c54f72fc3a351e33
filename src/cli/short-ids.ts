/** Of an id in a table: nobody types more, and where two begin alike the whole id tells them apart. */
const SHORT_ID = 12;

/** Shortens ids of one table as far as they stay apart there. The beginning is enough for every command that takes one. */
export function shortIds(ids: Iterable<string>): (id: string) => string {
  const counts = new Map<string, number>();
  for (const id of new Set(ids)) counts.set(id.slice(0, SHORT_ID), (counts.get(id.slice(0, SHORT_ID)) ?? 0) + 1);
  return (id) => (counts.get(id.slice(0, SHORT_ID)) === 1 ? id.slice(0, SHORT_ID) : id);
}
