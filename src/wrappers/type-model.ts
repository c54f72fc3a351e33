/**
 * A JSON Schema as far as TypeScript can say it, made by `read-schema.ts`. Nothing of the stranger's schema but names, literals
 * and texts is left, so what is made from it cannot be surprised.
 */
export type TypeNode = TypeForm & {
  /** Safe for a block comment. */
  readonly doc?: string;
};

export type PrimitiveName = 'string' | 'number' | 'boolean' | 'null';

export type TypeForm =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'never' }
  | { readonly kind: 'primitive'; readonly name: PrimitiveName }
  | { readonly kind: 'literals'; readonly values: readonly (string | number | boolean | null)[] }
  | { readonly kind: 'array'; readonly items: TypeNode }
  | { readonly kind: 'tuple'; readonly items: readonly TypeNode[]; readonly rest?: TypeNode }
  | { readonly kind: 'object'; readonly properties: readonly PropertyNode[]; readonly rest?: TypeNode }
  | { readonly kind: 'union' | 'intersection'; readonly members: readonly TypeNode[] }
  | { readonly kind: 'reference'; readonly name: string };

export interface PropertyNode {
  readonly name: string;
  readonly required: boolean;
  readonly type: TypeNode;
}

/** One schema: `definitions` holds the root under `root`, and everything that a `$ref` leads to under names of our own. */
export interface TypeModel {
  readonly root: string;
  readonly definitions: ReadonlyMap<string, TypeNode>;
}

/** Reads a schema below the current one, one level deeper. */
export type ReadBelow = (schema: unknown) => TypeNode;

export const UNKNOWN: TypeNode = { kind: 'unknown' };

/** Joins members: flat, without what adds nothing, and without a wrapper around a single one. */
export function combine(kind: 'union' | 'intersection', members: readonly TypeNode[]): TypeNode {
  const flat = members.flatMap((member) => (member.kind === kind ? member.members : [member]));
  const [first] = flat;
  if (kind === 'union') {
    if (first === undefined) return { kind: 'never' };
    if (flat.some((member) => member.kind === 'unknown')) return UNKNOWN;
  }
  const left = flat.filter((member) => member.kind !== (kind === 'union' ? 'never' : 'unknown'));
  if (left.length > 1) return { kind, members: left };
  return left[0] ?? first ?? UNKNOWN;
}
