import { BOUNDS } from './bounds.ts';
import { readObject } from './read-object.ts';
import { isRecord, referencesOf } from './schema-references.ts';
import { schemaDoc } from './schema-doc.ts';
import { combine, UNKNOWN } from './type-model.ts';
import type { PrimitiveName, ReadBelow, TypeModel, TypeNode } from './type-model.ts';

/** Thrown inside this stage when a schema is larger than {@link BOUNDS} allow; the message is for a comment. */
export class SchemaTooLarge extends Error {}

type Schema = Readonly<Record<string, unknown>>;

/** Turns an array or tuple, an object, or a primitive of that name into a node. */
const TYPES = new Map<unknown, (schema: Schema, read: ReadBelow) => TypeNode>([
  ['string', () => ({ kind: 'primitive', name: 'string' })],
  ['number', () => ({ kind: 'primitive', name: 'number' })],
  ['integer', () => ({ kind: 'primitive', name: 'number' })],
  ['boolean', () => ({ kind: 'primitive', name: 'boolean' })],
  ['null', () => ({ kind: 'primitive', name: 'null' })],
  ['array', readArray],
  ['object', readObject],
]);

/**
 * A JSON Schema, from a stranger and perhaps broken, as a model of types. `root` is the name of its own type. Time and size are
 * bounded: every schema of the document is read at most once per distinct `$ref` target.
 * @throws SchemaTooLarge
 */
export function readSchema(schema: unknown, root: string): TypeModel {
  return new SchemaReader(schema, root).read();
}

class SchemaReader {
  readonly #document: unknown;
  readonly #root: string;
  readonly #find: ReturnType<typeof referencesOf>;
  readonly #definitions = new Map<string, TypeNode>();
  readonly #names = new Map<unknown, string>();
  readonly #taken = new Set<string>();
  readonly #pending: [string, unknown][] = [];
  #nodes = 0;

  constructor(document: unknown, root: string) {
    this.#document = document;
    this.#root = root;
    this.#find = referencesOf(document, BOUNDS.nodes * 4);
  }

  read(): TypeModel {
    this.#names.set(this.#document, this.#root);
    this.#pending.push([this.#root, this.#document]);
    for (let next = this.#pending.shift(); next !== undefined; next = this.#pending.shift()) {
      this.#definitions.set(next[0], this.#node(next[1], 0));
    }
    return { root: this.#root, definitions: this.#definitions };
  }

  #node(schema: unknown, depth: number): TypeNode {
    this.#nodes += 1;
    if (this.#nodes > BOUNDS.nodes) throw new SchemaTooLarge(`it has more than ${BOUNDS.nodes} parts`);
    if (schema === false) return { kind: 'never' };
    if (schema === true) return UNKNOWN;
    if (!isRecord(schema)) return { ...UNKNOWN, doc: 'The schema is broken here.' };
    if (depth > BOUNDS.depth) return { ...UNKNOWN, doc: 'The schema is nested too deeply to go on here.' };
    const node = this.#form(schema, (below) => this.#node(below, depth + 1));
    const doc = [schemaDoc(schema), node.doc ?? ''].filter((text) => text !== '').join('\n\n');
    return doc === '' ? node : { ...node, doc };
  }

  #form(schema: Schema, read: ReadBelow): TypeNode {
    const parts: TypeNode[] = [];
    const reference = schema['$ref'] ?? schema['$dynamicRef'] ?? schema['$recursiveRef'];
    if (reference !== undefined) parts.push(this.#reference(reference));
    for (const branches of [schema['anyOf'], schema['oneOf']]) {
      if (Array.isArray(branches) && branches.length > 0) parts.push(combine('union', branches.map(read)));
    }
    if (Array.isArray(schema['allOf'])) parts.push(combine('intersection', schema['allOf'].map(read)));
    const own = ownForm(schema, read);
    if (own !== undefined && !(parts.some((part) => part.kind !== 'unknown') && addsNothing(own))) parts.unshift(own);
    const node = combine('intersection', parts);
    return schema['nullable'] === true && node.kind !== 'unknown' ? combine('union', [node, { kind: 'primitive', name: 'null' }]) : node;
  }

  #reference(reference: unknown): TypeNode {
    const target = typeof reference === 'string' ? this.#find(reference) : undefined;
    if (target === undefined) {
      return { ...UNKNOWN, doc: 'The schema refers to something that is not in it.' };
    }
    if (!isRecord(target)) return this.#node(target, 0);
    let name = this.#names.get(target);
    if (name === undefined) {
      name = this.#newName(String(reference));
      this.#names.set(target, name);
      this.#pending.push([name, target]);
    }
    return { kind: 'reference', name };
  }

  /** `ListIssuesInput` and `#/$defs/label` give `ListIssuesInputLabel`: no helper can take the name of a global or of another tool. */
  #newName(reference: string): string {
    const words = (reference.split('/').at(-1) ?? '').slice(-60).match(/[A-Za-z0-9]+/g) ?? ['Type'];
    const base = this.#root + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
    let name = base;
    for (let count = 2; this.#taken.has(name); count++) name = `${base}_${count}`;
    this.#taken.add(name);
    return name;
  }
}

/** What the schema says without its combinators and references; undefined when it says nothing. */
function ownForm(schema: Schema, read: ReadBelow): TypeNode | undefined {
  if (Object.hasOwn(schema, 'const')) return literals([schema['const']]);
  if (Array.isArray(schema['enum'])) return literals(schema['enum']);
  const { type } = schema;
  if (Array.isArray(type)) {
    return combine(
      'union',
      type.slice(0, TYPES.size).map((name) => typed(name, schema, read)),
    );
  }
  if (type !== undefined) return typed(type, schema, read);
  if (['properties', 'required', 'additionalProperties', 'patternProperties'].some((key) => Object.hasOwn(schema, key))) {
    return readObject(schema, read);
  }
  return Object.hasOwn(schema, 'items') || Object.hasOwn(schema, 'prefixItems') ? readArray(schema, read) : undefined;
}

function typed(name: unknown, schema: Schema, read: ReadBelow): TypeNode {
  const make = TYPES.get(name);
  if (make !== undefined) return make(schema, read);
  return name === 'any' ? UNKNOWN : { ...UNKNOWN, doc: 'The schema names a type here that does not exist.' };
}

function addsNothing(node: TypeNode): boolean {
  return (
    (node.kind === 'object' && node.properties.length === 0 && node.rest?.kind === 'unknown') ||
    (node.kind === 'array' && node.items.kind === 'unknown')
  );
}

function literals(values: readonly unknown[]): TypeNode {
  const plain = values.filter(isLiteral);
  if (plain.length < values.length) return { ...UNKNOWN, doc: 'The schema lists values here that have no short type.' };
  const distinct = [...new Set(plain)];
  if (distinct.length <= BOUNDS.literals) return { kind: 'literals', values: distinct };
  const names = [...new Set(distinct.map((value) => (value === null ? 'null' : typeof value)))] as PrimitiveName[];
  return {
    ...combine(
      'union',
      names.map((name) => ({ kind: 'primitive', name })),
    ),
    doc: `The schema lists ${distinct.length} values here.`,
  };
}

function isLiteral(value: unknown): value is string | number | boolean | null {
  if (typeof value === 'string') return value.length <= BOUNDS.literalLength;
  return value === null || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value));
}

function readArray(schema: Schema, read: ReadBelow): TypeNode {
  const first = schema['prefixItems'] ?? schema['items'];
  if (!Array.isArray(first)) return { kind: 'array', items: schema['items'] === undefined ? UNKNOWN : read(schema['items']) };
  const after = schema['prefixItems'] === undefined ? schema['additionalItems'] : schema['items'];
  const items = first.map(read);
  return after === false ? { kind: 'tuple', items } : { kind: 'tuple', items, rest: after === undefined ? UNKNOWN : read(after) };
}
