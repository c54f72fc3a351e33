import * as module from 'node:module';
import { asNode, asNodes, nameOf, type SyntaxNode } from './syntax-tree.ts';

/** What the engines do not have, or what esbuild alone judges right. */
const FOR_ESBUILD = new Set(['ClassAccessorProperty', 'Decorator']);

/** Looks whether a program needs no more than its types taken away. What is in doubt is for esbuild. */
export class PlainCode {
  readonly #constants = new Set<string>();
  readonly #assigned = new Set<string>();
  #isPlain = true;

  /** To be called with every node. */
  see(node: SyntaxNode): void {
    if (FOR_ESBUILD.has(node.type)) this.#isPlain = false;
    switch (node.type) {
      case 'VariableDeclaration':
        return this.#declare(node);
      case 'ImportSpecifier':
      case 'ImportNamespaceSpecifier':
        return this.#note(this.#constants, node['local']);
      case 'AssignmentExpression':
      case 'ForInStatement':
      case 'ForOfStatement':
        return this.#assign(asNode(node['left']));
      case 'UpdateExpression':
        return this.#assign(asNode(node['argument']));
      default:
        return undefined;
    }
  }

  /** False for `using`, decorators, and an assignment to a name that is constant somewhere: esbuild lowers or refuses them. */
  get isPlain(): boolean {
    return this.#isPlain && ![...this.#assigned].some((name) => this.#constants.has(name));
  }

  #declare(node: SyntaxNode): void {
    const kind = String(node['kind']);
    if (kind !== 'const' && kind !== 'let' && kind !== 'var') this.#isPlain = false;
    if (kind !== 'const') return;
    for (const declarator of asNodes(node['declarations'])) this.#note(this.#constants, declarator['id']);
  }

  #assign(target: SyntaxNode | undefined): void {
    if (target?.type === 'Identifier') this.#note(this.#assigned, target);
    else if (target?.type.endsWith('Pattern') === true) this.#isPlain = false;
  }

  #note(names: Set<string>, node: unknown): void {
    const name = nameOf(node);
    if (name !== undefined) names.add(name);
    // Names inside of a pattern: which of them are declared makes a difference only if they are assigned to, too.
    else for (const found of innerNames(asNode(node))) names.add(found);
  }
}

/** Every name in a pattern, defaults and keys included. */
function innerNames(pattern: SyntaxNode | undefined): string[] {
  if (pattern === undefined) return [];
  const name = nameOf(pattern);
  if (name !== undefined) return [name];
  return Object.values(pattern).flatMap((value) => (Array.isArray(value) ? asNodes(value) : [asNode(value)]).flatMap(innerNames));
}

/**
 * The text with blanks in the place of types, so that nothing moves; undefined when that cannot be done, such as for enums. It may
 * take long on text that is made for it.
 */
export function stripTypes(text: string): string | undefined {
  // In a module these are operators; in a script, which the engine takes, they begin comments.
  if (text.includes('<!--') || text.includes('-->')) return undefined;
  try {
    const stripped = module.stripTypeScriptTypes(text);
    return stripped.length === text.length ? stripped : undefined;
  } catch {
    return undefined;
  }
}
