import type { Binding } from './scan-result.ts';
import { asNode, asNodes, nameOf, stringOf, type SyntaxNode } from './syntax-tree.ts';

/** Reads what a program's imports bring and, of imported modules, which of their exports it uses. */
export class BindingReader {
  readonly #found: Binding[] = [];
  /** By the local name of a module: the exports that are named, or "all". */
  readonly #modules = new Map<string, Set<string> | 'all'>();
  /** Identifiers that have been looked at as a part of something larger. */
  readonly #known = new Set<unknown>();
  #isPlain = true;

  constructor(body: readonly SyntaxNode[]) {
    for (const statement of body) this.#declaration(statement);
  }

  /** To be called with every node, parents first. */
  see(node: SyntaxNode): void {
    const isAsked = node.type === 'ImportExpression' || (node.type === 'CallExpression' && nameOf(node['callee']) === 'require');
    if (isAsked) this.#isPlain = false;
    if (this.#modules.size === 0) return;
    if (node.type === 'MemberExpression' || node.type === 'OptionalMemberExpression') this.#member(node);
    else if (node.type === 'TSQualifiedName') this.#known.add(node['left']);
    else if (node.type === 'Identifier' && !this.#known.has(node)) this.#useAll(nameOf(node));
  }

  get bindings(): Binding[] | undefined {
    if (!this.#isPlain) return undefined;
    return this.#found.map((binding) => {
      const members = binding.imported === '*' ? this.#modules.get(binding.local) : undefined;
      return members === undefined || members === 'all' ? binding : { ...binding, members: [...members].sort() };
    });
  }

  #declaration(node: SyntaxNode): void {
    if (asNode(node['source']) === undefined || node['importKind'] === 'type' || node['exportKind'] === 'type') return;
    const specifier = stringOf(node['source']);
    // A phase (`import defer`), attributes and exports of other modules are for the bundler.
    const isPlain = node.type === 'ImportDeclaration' && typeof node['phase'] !== 'string' && asNodes(node['attributes']).length === 0;
    if (!isPlain || specifier === undefined) this.#isPlain = false;
    else for (const part of asNodes(node['specifiers'])) this.#specifier(specifier, part);
  }

  #specifier(specifier: string, node: SyntaxNode): void {
    this.#known.add(node['local']).add(node['imported']);
    if (node['importKind'] === 'type') return;
    const local = nameOf(node['local']);
    const imported = node.type === 'ImportNamespaceSpecifier' ? '*' : nameOf(node['imported']);
    if (local === undefined || imported === undefined) this.#isPlain = false;
    else this.#found.push({ specifier, local, imported });
    if (local !== undefined && imported === '*') this.#modules.set(local, new Set());
  }

  #member(node: SyntaxNode): void {
    const property = node['computed'] === true ? undefined : nameOf(node['property']);
    const used = this.#modules.get(nameOf(node['object']) ?? '');
    if (used === undefined || property === undefined) return;
    this.#known.add(node['object']);
    if (used !== 'all') used.add(property);
  }

  #useAll(name: string | undefined): void {
    if (name !== undefined && this.#modules.has(name)) this.#modules.set(name, 'all');
  }
}
