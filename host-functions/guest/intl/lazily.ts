/** A value that is made at its first use: what nobody uses takes no memory but for its text. */
export function lazily<T>(make: () => T): () => T {
  let value: T | undefined;
  return () => (value ??= make());
}
