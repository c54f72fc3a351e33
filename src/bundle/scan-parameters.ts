import type { Problem } from './scan-result.ts';
import { asNode, asNodes, nameOf, type SyntaxNode, walk } from './syntax-tree.ts';

const FUNCTION = /Function|Method|^Class/u;

/**
 * Finds functions whose parameters QuickJS keeps twice: a function in a default value closes over one copy, the body works with the other.
 * That is only seen when such a parameter is assigned, so `(a, get = () => a) => { a = 2; return get(); }` would give the old value.
 */
export function findSharedParameters(node: SyntaxNode): Problem | undefined {
  const params = asNodes(node['params']);
  const closures = params.flatMap(defaultsOf).flatMap(functionsIn);
  if (closures.length === 0) return undefined;
  const own = new Set(params.flatMap(declaredBy));
  const assigned = assignedIn(node);
  for (const closure of closures) {
    const name = [...namesIn(closure)].find((candidate) => own.has(candidate) && assigned.has(candidate));
    if (name !== undefined) return problemOf(name, closure);
  }
  return undefined;
}

function problemOf(name: string, { start }: SyntaxNode): Problem {
  return {
    code: 'ERR_BUNDLE_FORM',
    message: `The parameter "${name}" is assigned, and a function in a default value of the same parameters uses it: the engine would keep two of it.`,
    hint: `Leave the parameter as it is and assign to a variable of its own, for example \`let current = ${name}\`.`,
    offset: start,
    engine: 'quickjs',
  };
}

/** The default values in a parameter, also those inside of patterns. */
function defaultsOf(param: SyntaxNode): SyntaxNode[] {
  return nodesOf(param).flatMap((node) => (node.type === 'AssignmentPattern' ? (asNode(node['right']) ?? []) : []));
}

function functionsIn(root: SyntaxNode): SyntaxNode[] {
  return nodesOf(root).filter(({ type }) => FUNCTION.test(type));
}

/** The names that a pattern declares. */
function declaredBy(pattern: SyntaxNode | undefined): string[] {
  if (pattern === undefined) return [];
  switch (pattern.type) {
    case 'Identifier':
      return [nameOf(pattern) ?? ''];
    case 'AssignmentPattern':
      return declaredBy(asNode(pattern['left']));
    case 'RestElement':
      return declaredBy(asNode(pattern['argument']));
    case 'TSParameterProperty':
      return declaredBy(asNode(pattern['parameter']));
    case 'ObjectPattern':
      return asNodes(pattern['properties']).flatMap((property) => declaredBy(asNode(property['value']) ?? property));
    case 'ArrayPattern':
      return asNodes(pattern['elements']).flatMap(declaredBy);
    default:
      return [];
  }
}

/** The names that are read below, without the members of objects. */
function namesIn(root: SyntaxNode): Set<string> {
  const names = new Set<string>();
  const members = new Set<unknown>();
  for (const node of nodesOf(root)) {
    if (node['computed'] !== true) members.add(node.type.endsWith('MemberExpression') ? node['property'] : node['key']);
  }
  for (const node of nodesOf(root)) {
    const name = node.type === 'Identifier' && !members.has(node) ? nameOf(node) : undefined;
    if (name !== undefined) names.add(name);
  }
  for (const param of asNodes(root['params'])) for (const name of declaredBy(param)) names.delete(name);
  return names;
}

/** Every name that is assigned somewhere below. */
function assignedIn(root: SyntaxNode): Set<string> {
  const names = new Set<string>();
  const note = (target: unknown): void => {
    const node = asNode(target);
    if (node !== undefined && !node.type.endsWith('MemberExpression')) for (const name of namesIn(node)) names.add(name);
  };
  for (const node of nodesOf(root)) {
    if (node.type === 'AssignmentExpression' || node.type === 'ForInStatement' || node.type === 'ForOfStatement') note(node['left']);
    if (node.type === 'UpdateExpression') note(node['argument']);
  }
  return names;
}

function nodesOf(root: SyntaxNode): SyntaxNode[] {
  const nodes: SyntaxNode[] = [];
  walk(root, (node) => nodes.push(node));
  return nodes;
}
