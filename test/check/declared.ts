import { parse } from '@babel/parser';
import { asNode, asNodes, nameOf, type SyntaxNode } from '../../src/bundle/syntax-tree.ts';

/** What declarations promise of the global scope. */
export interface Declared {
  /** Names of global values. */
  readonly values: ReadonlySet<string>;
  /** `Name.member` of values, `Name.prototype.method` of what they make; symbols as `[iterator]`. */
  readonly members: ReadonlySet<string>;
}

interface Shape {
  readonly methods: Set<string>;
  readonly properties: Set<string>;
  readonly types: Map<string, SyntaxNode>;
  readonly parents: Set<string>;
  /** The interfaces of what it constructs. */
  readonly makes: string[];
}

/** Reads declaration files as one global scope: variables with the interfaces that they have, functions, classes and namespaces. */
export function readDeclarations(texts: readonly string[]): Declared {
  const reader = new Reader();
  for (const text of texts) {
    const { program } = parse(text, { sourceType: 'module', plugins: [['typescript', { dts: true }]], errorRecovery: true });
    for (const node of asNodes(asNode(program)?.['body'])) reader.see(node, '');
  }
  return reader.result();
}

class Reader {
  readonly #shapes = new Map<string, Shape>();
  readonly #values = new Map<string, SyntaxNode | undefined>();
  readonly #members = new Set<string>();

  see(node: SyntaxNode, prefix: string): void {
    const inner = asNode(node['declaration']);
    switch (node.type) {
      case 'ExportNamedDeclaration':
        return inner === undefined ? undefined : this.see(inner, prefix);
      case 'TSModuleDeclaration':
        return this.#seeNamespace(node, prefix);
      case 'TSInterfaceDeclaration':
        return this.#addMembers(prefix + name(node['id']), asNodes(asNode(node['body'])?.['body']), asNodes(node['extends']));
      case 'VariableDeclaration':
        for (const { id } of asNodes(node['declarations']) as unknown as { id: SyntaxNode }[]) {
          this.#value(prefix + name(id), asNode(asNode(id['typeAnnotation'])?.['typeAnnotation']));
        }
        return undefined;
      case 'TSDeclareFunction':
        return this.#value(prefix + name(node['id']), undefined);
      case 'ClassDeclaration':
        return this.#seeClass(node, prefix);
      default:
        return undefined;
    }
  }

  result(): Declared {
    for (const [value, type] of this.#values) this.#describe(value, type, 0);
    const values = new Set([...this.#values.keys()].map((value) => value.split('.')[0] ?? value));
    for (const member of this.#values.keys()) if (member.includes('.')) this.#members.add(member);
    return { values, members: this.#members };
  }

  #value(path: string, type: SyntaxNode | undefined): void {
    this.#values.set(path, type ?? this.#values.get(path));
  }

  #seeNamespace(node: SyntaxNode, prefix: string): void {
    const body = asNode(node['body']);
    if (node['kind'] === 'global') for (const child of asNodes(body?.['body'])) this.see(child, '');
    else for (const child of asNodes(body?.['body'])) this.see(child, `${prefix}${name(node['id'])}.`);
  }

  #seeClass(node: SyntaxNode, prefix: string): void {
    const path = prefix + name(node['id']);
    this.#value(path, undefined);
    for (const member of asNodes(asNode(node['body'])?.['body'])) {
      const key = keyOf(member);
      if (member.type === 'ClassProperty' && member['static'] !== true) continue;
      if (key === undefined || key === 'constructor' || member['accessibility'] === 'private') continue;
      this.#members.add(member['static'] === true ? `${path}.${key}` : `${path}.prototype.${key}`);
    }
  }

  #addMembers(type: string, members: readonly SyntaxNode[], parents: readonly SyntaxNode[]): void {
    const shape: Shape = this.#shapes.get(type) ?? {
      methods: new Set(),
      properties: new Set(),
      types: new Map(),
      parents: new Set(),
      makes: [],
    };
    this.#shapes.set(type, shape);
    for (const parent of parents) shape.parents.add(name(parent['expression'] ?? parent['typeName']));
    for (const member of members) {
      if (member.type === 'TSConstructSignatureDeclaration') shape.makes.push(...referenced(returnTypeOf(member)));
      const key = keyOf(member);
      if (key === undefined || member['optional'] === true) continue;
      (member.type === 'TSMethodSignature' && member['kind'] === 'method' ? shape.methods : shape.properties).add(key);
      const annotation = asNode(asNode(member['typeAnnotation'])?.['typeAnnotation']);
      if (annotation !== undefined) shape.types.set(key, annotation);
    }
  }

  /** What a value of this type has itself, and what the things have that it makes. */
  #describe(path: string, type: SyntaxNode | undefined, depth: number): void {
    if (type === undefined || depth > 1) return;
    const scope = path.includes('.') ? path.slice(0, path.lastIndexOf('.') + 1) : '';
    if (type.type === 'TSTypeLiteral') this.#addMembers(`${path}~`, asNodes(type['members']), []);
    const own =
      type.type === 'TSTypeLiteral' ? [`${path}~`] : this.#withParents(referenced(type).map((found) => this.#nameIn(scope, found)));
    for (const shapeName of own) {
      const shape = this.#shapes.get(shapeName);
      const keys = [...(shape?.methods ?? []), ...(shape?.properties ?? [])].filter((key) => key !== 'prototype');
      for (const key of keys) this.#members.add(`${path}.${key}`);
      const made = [...(shape?.makes ?? []), ...referenced(shape?.types.get('prototype'))];
      this.#describeMade(
        path,
        made.map((found) => this.#nameIn(scope, found)),
      );
    }
  }

  #describeMade(path: string, types: readonly string[]): void {
    for (const type of this.#withParents(types)) {
      for (const key of this.#shapes.get(type)?.methods ?? []) this.#members.add(`${path}.prototype.${key}`);
    }
  }

  #nameIn(scope: string, type: string): string {
    return this.#shapes.has(scope + type) ? scope + type : type;
  }

  #withParents(types: readonly string[], seen = new Set<string>()): Set<string> {
    for (const type of types) {
      if (seen.has(type)) continue;
      seen.add(type);
      this.#withParents([...(this.#shapes.get(type)?.parents ?? [])], seen);
    }
    return seen;
  }
}

function returnTypeOf(signature: SyntaxNode): SyntaxNode | undefined {
  return asNode(asNode(signature['returnType'] ?? signature['typeAnnotation'])?.['typeAnnotation']);
}

/** The interfaces that a type names: itself, or the parts of an intersection. */
function referenced(type: SyntaxNode | undefined): string[] {
  if (type === undefined) return [];
  if (type.type === 'TSIntersectionType') return asNodes(type['types']).flatMap(referenced);
  if (type.type === 'TSArrayType') return ['Array'];
  return type.type === 'TSTypeReference' ? [name(type['typeName'])] : [];
}

function keyOf(member: SyntaxNode): string | undefined {
  const key = asNode(member['key']);
  if (key === undefined) return undefined;
  if (member['computed'] === true) return key.type === 'MemberExpression' ? `[${nameOf(key['property'])}]` : nameOf(key);
  return nameOf(key);
}

function name(node: unknown): string {
  const found = asNode(node);
  if (found?.type === 'TSQualifiedName') return `${name(found['left'])}.${name(found['right'])}`;
  return nameOf(node) ?? '';
}
