/** What JSON says, with all its strings and keys changed; of keys that become the same one the last stays. */
export function parseKept(json: string, change: (text: string) => string, changeKey = change): unknown {
  const walk = (value: unknown): unknown => {
    if (typeof value === 'string') return change(value);
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== 'object' || value === null) return value;
    return JSON.parse(
      `{${Object.entries(value)
        .map(([key, inner]) => `${JSON.stringify(changeKey(key))}:${JSON.stringify(walk(inner))}`)
        .join(',')}}`,
    );
  };
  return walk(JSON.parse(json));
}
