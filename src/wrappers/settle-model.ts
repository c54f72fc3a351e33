import { BOUNDS } from './bounds.ts';
import { combine, UNKNOWN } from './type-model.ts';
import type { TypeModel, TypeNode } from './type-model.ts';

const ENDLESS: TypeNode = { ...UNKNOWN, doc: 'The schema refers to itself here without end.' };
const NEVER: TypeNode = { kind: 'never' };
const TOO_MANY: TypeNode = { ...UNKNOWN, doc: 'The schema has too many alternatives here.' };

type Definitions = ReadonlyMap<string, TypeNode>;

/**
 * The same model without what TypeScript refuses: an alias that is itself (`type A = A | string`), and intersections of unions
 * that multiply to thousands of alternatives. Recursion through a property or an item is fine and stays.
 */
export function settleModel(model: TypeModel): TypeModel {
  return { root: model.root, definitions: boundAlternatives(cutCycles(model.definitions)) };
}

function cutCycles(definitions: Definitions): Definitions {
  const done = new Map<string, TypeNode>();
  const visiting = new Set<string>();

  function visit(name: string): void {
    const node = definitions.get(name);
    if (node === undefined || done.has(name)) return;
    visiting.add(name);
    done.set(name, cut(node));
    visiting.delete(name);
  }

  /** Only what TypeScript resolves at once: references, unions, intersections. */
  function cut(node: TypeNode): TypeNode {
    if (node.kind === 'union' || node.kind === 'intersection') {
      // `A | string`, where A is the whole, allows nothing but the string.
      const members = node.members.map(cut).map((member) => (member === ENDLESS && node.kind === 'union' ? NEVER : member));
      return { ...(node.doc !== undefined && { doc: node.doc }), ...combine(node.kind, members) };
    }
    if (node.kind !== 'reference') return node;
    if (visiting.has(node.name)) return ENDLESS;
    visit(node.name);
    return node;
  }

  for (const name of definitions.keys()) visit(name);
  return new Map([...definitions.keys()].map((name) => [name, done.get(name) ?? UNKNOWN]));
}

function boundAlternatives(definitions: Definitions): Definitions {
  const breadths = new Map<string, number>();

  function breadthOf(name: string): number {
    let breadth = breadths.get(name);
    if (breadth === undefined) {
      breadth = count(definitions.get(name) ?? UNKNOWN);
      breadths.set(name, breadth);
    }
    return breadth;
  }

  /** How many alternatives a node has; one that has too many counts as the `unknown` that it becomes. */
  function count(node: TypeNode): number {
    const breadth = rawCount(node);
    return breadth > BOUNDS.alternatives ? 1 : breadth;
  }

  function rawCount(node: TypeNode): number {
    if (node.kind === 'union') return node.members.reduce((sum, member) => sum + count(member), 0);
    if (node.kind === 'intersection') return node.members.reduce((product, member) => product * count(member), 1);
    if (node.kind === 'literals') return node.values.length;
    if (node.kind === 'reference') return breadthOf(node.name);
    return node.kind === 'primitive' && node.name === 'boolean' ? 2 : 1;
  }

  function bound(node: TypeNode): TypeNode {
    if (node.kind === 'union' || node.kind === 'intersection') {
      return rawCount(node) > BOUNDS.alternatives ? TOO_MANY : { ...node, members: node.members.map(bound) };
    }
    if (node.kind === 'array') return { ...node, items: bound(node.items) };
    if (node.kind === 'tuple') return { ...node, items: node.items.map(bound), ...(node.rest && { rest: bound(node.rest) }) };
    if (node.kind !== 'object') return node;
    const properties = node.properties.map((property) => ({ ...property, type: bound(property.type) }));
    return { ...node, properties, ...(node.rest && { rest: bound(node.rest) }) };
  }

  return new Map([...definitions].map(([name, node]) => [name, bound(node)]));
}
