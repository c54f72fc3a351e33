import { BOUNDS } from './bounds.ts';
import { literal, propertyKey } from './text.ts';
import type { PropertyNode, TypeModel, TypeNode } from './type-model.ts';

/** What is left out: types deeper than `depth`, literals longer than `literal`, all but the first `properties` of an object. */
interface Detail {
  readonly depth: number;
  readonly properties: number;
  readonly literal: number;
}

const DETAILS: readonly Detail[] = [
  { depth: 4, properties: 50, literal: 60 },
  { depth: 3, properties: 50, literal: 40 },
  { depth: 2, properties: 50, literal: 40 },
  { depth: 2, properties: 12, literal: 24 },
  { depth: 1, properties: 12, literal: 16 },
  { depth: 1, properties: 6, literal: 0 },
  { depth: 1, properties: 3, literal: 0 },
];

/** One line of TypeScript for a tool's function, as exact as fits into {@link BOUNDS}.signature. */
export function signature(functionName: string, input: TypeModel | undefined, output: TypeModel | undefined, optional: boolean): string {
  for (const detail of DETAILS) {
    const line = `${functionName}(${parameter(root(input, detail, 'object'), optional)}): Promise<${root(output, detail, 'unknown')}>`;
    if (line.length <= BOUNDS.signature) return line;
  }
  return `${functionName}(${parameter('object', optional)}): Promise<unknown>`;
}

function parameter(type: string, optional: boolean): string {
  if (type === '{}') return '';
  return `input${optional ? '?' : ''}: ${type}`;
}

function root(model: TypeModel | undefined, detail: Detail, fallback: string): string {
  const node = model?.definitions.get(model.root);
  return model === undefined || node === undefined ? fallback : print(node, model, detail, detail.depth);
}

function print(node: TypeNode, model: TypeModel, detail: Detail, depth: number): string {
  switch (node.kind) {
    case 'unknown':
    case 'never':
      return node.kind;
    case 'primitive':
      return node.name;
    case 'literals':
      return printLiterals(node.values, detail);
    case 'array':
      return printArray(print(node.items, model, detail, depth));
    case 'tuple':
      return depth <= 0 ? 'unknown[]' : printTuple(node, model, detail, depth);
    case 'reference': {
      const target = model.definitions.get(node.name);
      return target === undefined || depth <= 0 ? 'unknown' : print(target, model, detail, depth - 1);
    }
    case 'union':
    case 'intersection':
      return printMembers(node, model, detail, depth);
    case 'object':
      return printObject(node, model, detail, depth);
  }
}

function printMembers(node: TypeNode & { kind: 'union' | 'intersection' }, model: TypeModel, detail: Detail, depth: number): string {
  if (node.members.length > 12) return 'unknown';
  const members = new Set(node.members.map((member) => print(member, model, detail, depth)));
  if (node.kind === 'union') return members.has('unknown') ? 'unknown' : [...members].join(' | ');
  if (members.size > 1) members.delete('unknown');
  return [...members].map((member) => (members.size > 1 && member.includes(' | ') ? `(${member})` : member)).join(' & ');
}

function printTuple(node: TypeNode & { kind: 'tuple' }, model: TypeModel, detail: Detail, depth: number): string {
  const items = node.items.slice(0, 8).map((item) => print(item, model, detail, depth - 1));
  if (node.items.length > 8) return 'unknown[]';
  if (node.rest !== undefined) items.push(`...${printArray(print(node.rest, model, detail, depth - 1))}`);
  return `[${items.join(', ')}]`;
}

function printArray(item: string): string {
  return /^[\w]+(\[\])*$/.test(item) ? `${item}[]` : `Array<${item}>`;
}

function printLiterals(values: readonly (string | number | boolean | null)[], detail: Detail): string {
  if (values.length === 0) return 'never';
  const short = values.length <= 12 && values.every((value) => literal(value).length <= detail.literal);
  const shown = short ? values.map(literal) : values.map((value) => (value === null ? 'null' : typeof value));
  return [...new Set(shown)].join(' | ');
}

function printObject(node: TypeNode & { kind: 'object' }, model: TypeModel, detail: Detail, depth: number): string {
  if (depth <= 0) return 'object';
  const ordered = [...node.properties.filter((property) => property.required), ...node.properties.filter((property) => !property.required)];
  const shown = ordered.length <= detail.properties ? node.properties : ordered.slice(0, detail.properties);
  const members = shown.map((property) => printProperty(property, model, detail, depth));
  if (node.rest !== undefined) {
    members.push(`[key: string]: ${node.properties.length > 0 ? 'unknown' : print(node.rest, model, detail, depth - 1)}`);
  }
  const more = ordered.length - shown.length;
  if (members.length === 0) return more === 0 ? '{}' : 'object';
  return `{ ${members.join('; ')}${more === 0 ? '' : `; /* ${more} more */`} }`;
}

function printProperty(property: PropertyNode, model: TypeModel, detail: Detail, depth: number): string {
  return `${propertyKey(property.name)}${property.required ? '' : '?'}: ${print(property.type, model, detail, depth - 1)}`;
}
