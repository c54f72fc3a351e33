/**
 * The host's `get-state`: the session's state at the start of a run. Bounded, because whoever stored it may have had another limit.
 * @param state JSON text of an object, "" for none
 * @param onTooLarge told the size in bytes when the program asks for a state over `maxBytes`. It must throw: a program that saw an
 * empty state instead would overwrite the real one.
 */
export function createGetState(state: string, maxBytes: number, onTooLarge: (bytes: number) => never): () => string {
  const text = state === '' ? '{}' : state;
  return () => {
    const bytes = Buffer.byteLength(text);
    return bytes > maxBytes ? onTooLarge(bytes) : text;
  };
}
