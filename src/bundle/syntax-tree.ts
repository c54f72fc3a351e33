/** A node of Babel's tree, as far as we look at it. */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

/** The value as a node, if it is one. */
export function asNode(value: unknown): SyntaxNode | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { type, start, end } = value as Partial<SyntaxNode>;
  return typeof type === 'string' && typeof start === 'number' && typeof end === 'number' ? (value as SyntaxNode) : undefined;
}

/** All nodes in a list; an empty list for anything else. */
export function asNodes(value: unknown): SyntaxNode[] {
  return Array.isArray(value) ? value.map(asNode).filter((node) => node !== undefined) : [];
}

/** The text of an identifier or a string literal. */
export function nameOf(value: unknown): string | undefined {
  const node = asNode(value);
  if (node?.type === 'Identifier' && typeof node['name'] === 'string') return node['name'];
  if (node?.type === 'StringLiteral' && typeof node['value'] === 'string') return node['value'];
  return undefined;
}

/** The value of a string literal. */
export function stringOf(value: unknown): string | undefined {
  return asNode(value)?.type === 'StringLiteral' ? nameOf(value) : undefined;
}

const FUNCTIONS = new Set([
  'FunctionDeclaration',
  'FunctionExpression',
  'ArrowFunctionExpression',
  'ObjectMethod',
  'ClassMethod',
  'ClassPrivateMethod',
  'StaticBlock',
  'TSModuleBlock',
]);
const BLOCKS = new Set([
  'BlockStatement',
  'ForStatement',
  'ForInStatement',
  'ForOfStatement',
  'SwitchStatement',
  'CatchClause',
  'ClassBody',
]);

/** What is around a node. */
export interface Surroundings {
  readonly inFunction: boolean;
  /** How many functions, blocks, loops and classes, each of which may declare names. */
  readonly scopes: number;
}

/** Visits every node below `root` in no particular order. A loop instead of recursion: long chains make trees deeper than the stack. */
export function walk(root: SyntaxNode, visit: (node: SyntaxNode, around: Surroundings) => void): void {
  const pending: { node: SyntaxNode; around: Surroundings }[] = [{ node: root, around: { inFunction: false, scopes: 0 } }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { node, around } = next;
    visit(node, around);
    const below = surroundingsBelow(node, around);
    for (const value of Object.values(node)) {
      const children = Array.isArray(value) ? asNodes(value) : [asNode(value)];
      for (const child of children) if (child !== undefined) pending.push({ node: child, around: below });
    }
  }
}

function surroundingsBelow({ type }: SyntaxNode, around: Surroundings): Surroundings {
  if (FUNCTIONS.has(type)) return { inFunction: true, scopes: around.scopes + 1 };
  return BLOCKS.has(type) ? { inFunction: around.inFunction, scopes: around.scopes + 1 } : around;
}

/** The offset after white space and comments. */
export function skipTrivia(text: string, offset: number): number {
  const trivia = /(?:\s|\/\/[^\n\r\u2028\u2029]*|\/\*[\s\S]*?\*\/)*/uy;
  trivia.lastIndex = offset;
  return trivia.test(text) ? trivia.lastIndex : offset;
}
