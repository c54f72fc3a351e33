/**
 * The host's `get-state`: the session's state at the start of a run. Bounded, because whoever stored it may have had another limit.
 * @param state JSON text of an object, "" for none
 * @param maxBytes over it the program sees an empty state, and `onTooLarge` is told the size in bytes
 */
export function createGetState(state: string, maxBytes: number, onTooLarge: (bytes: number) => void = () => undefined): () => string {
  const bytes = Buffer.byteLength(state);
  if (bytes > maxBytes) onTooLarge(bytes);
  const text = state === '' || bytes > maxBytes ? '{}' : state;
  return () => text;
}
