type Schema = Readonly<Record<string, unknown>>;

/** Finds what a `$ref` means inside one document. */
export type FindReference = (reference: string) => unknown;

export function isRecord(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A look-up that never leaves the document: what names another one (http, file, a relative path) is undefined, and nothing is loaded. */
export function referencesOf(document: unknown, maximumNodes: number): FindReference {
  let names: ReadonlyMap<string, unknown> | undefined;
  return (reference) => {
    if (reference === '#' || reference === '') return document;
    if (reference.startsWith('#/')) return followPointer(document, reference.slice(2));
    names ??= namedSchemas(document, maximumNodes);
    const exact = names.get(reference);
    if (exact !== undefined) return exact;
    const [base = '', fragment = ''] = reference.split('#', 2);
    const target = names.get(base);
    return fragment.startsWith('/') ? followPointer(target, fragment.slice(1)) : target;
  };
}

function followPointer(document: unknown, pointer: string): unknown {
  let at = document;
  for (const part of pointer.split('/')) {
    const key = decode(part).replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined;
    at = (at as Schema)[key];
  }
  return at;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Schemas by `$id`, `id` and `#anchor`; the first one of a name wins. */
function namedSchemas(document: unknown, maximumNodes: number): ReadonlyMap<string, unknown> {
  const names = new Map<string, unknown>();
  const pending = [document];
  for (let count = 0; pending.length > 0 && count < maximumNodes; count++) {
    const next = pending.shift();
    if (isRecord(next)) {
      for (const name of [next['$id'], next['id'], anchor(next['$anchor']), anchor(next['$dynamicAnchor'])]) {
        if (typeof name === 'string' && !names.has(name)) names.set(name, next);
      }
    }
    if (typeof next === 'object' && next !== null) pending.push(...Object.values(next).slice(0, maximumNodes));
  }
  return names;
}

function anchor(name: unknown): string | undefined {
  return typeof name === 'string' ? `#${name}` : undefined;
}
