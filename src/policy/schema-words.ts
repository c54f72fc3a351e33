const MAX_NODES = 5_000;
const NONE: ReadonlySet<string> = new Set();

/** The texts that a JSON Schema itself is made of: names of its properties and the choices that it lists. They are nobody's data. */
export type SchemaWords = (schema: object | undefined) => ReadonlySet<string>;

/** Reads each schema once, as long as its object lives. */
export function createSchemaWords(): SchemaWords {
  const known = new WeakMap<object, ReadonlySet<string>>();
  return (schema) => {
    if (schema === undefined) return NONE;
    let words = known.get(schema);
    if (words === undefined) known.set(schema, (words = readWords(schema)));
    return words;
  };
}

function readWords(schema: object): ReadonlySet<string> {
  const words = new Set<string>();
  const nodes: unknown[] = [schema];
  for (let seen = 0; nodes.length > 0 && seen < MAX_NODES; seen++) {
    const node = nodes.pop();
    if (typeof node !== 'object' || node === null) continue;
    if (!Array.isArray(node)) addWords(node as Record<string, unknown>, words);
    for (const child of Object.values(node)) if (nodes.length < MAX_NODES) nodes.push(child);
  }
  return words;
}

function addWords({ properties, enum: choices, const: only }: Record<string, unknown>, words: Set<string>): void {
  if (typeof properties === 'object' && properties !== null) for (const name of Object.keys(properties)) words.add(name);
  for (const choice of Array.isArray(choices) ? choices : [only]) if (typeof choice === 'string') words.add(choice);
}
