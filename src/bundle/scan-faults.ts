import type { Problem } from './scan-result.ts';
import { asNode, asNodes, nameOf, type SyntaxNode } from './syntax-tree.ts';

/** Characters that esbuild reads to place its complaints about one text: for each it counts lines from the begin. */
const MAX_COUNTED = 500_000_000;
/** Characters in its complaints. Against: thousands of errors in one long line, each of which repeats the line. */
const MAX_REPEATED = 20_000_000;
const MAX_TOLD = 10;

/** Whether so many complaints about a text would take esbuild, which tells all of them, too long or too much memory. */
export function areTooMany(complaints: number, text: string): boolean {
  return complaints * text.length > MAX_COUNTED || complaints * longestLine(text) > MAX_REPEATED;
}

function longestLine(text: string): number {
  let longest = 0;
  for (let start = 0; start <= text.length;) {
    const end = text.indexOf('\n', start);
    longest = Math.max(longest, (end < 0 ? text.length : end) - start);
    start = end < 0 ? text.length + 1 : end + 1;
  }
  return longest;
}

interface Fault {
  readonly message: string;
  readonly offset: number;
}

/** Counts what esbuild complains of and the parser says nothing about, or says once. What is in doubt counts. */
export class FaultCounter {
  readonly #constants = new Set<string>();
  readonly #modules = new Set<string>();
  readonly #assigned = new Map<string, { count: number; offset: number }>();
  readonly #memberAssigned = new Map<string, { count: number; offset: number }>();
  /** Members that are read of anything, by its name. */
  readonly #membersOf = new Map<string, { count: number; offset: number }>();
  readonly #faults: Fault[] = [];
  readonly #specifiers: SyntaxNode[] = [];
  #privateNames = 0;

  /** To be called with every node. */
  see(node: SyntaxNode): void {
    switch (node.type) {
      case 'VariableDeclaration':
        if (node['kind'] !== 'const') return undefined;
        return asNodes(node['declarations']).forEach((declarator) => this.#declare(declarator['id']));
      case 'ImportNamespaceSpecifier':
        this.#modules.add(nameOf(node['local']) ?? '');
        return this.#declare(node['local']);
      case 'ImportSpecifier':
      case 'ImportDefaultSpecifier':
        this.#specifiers.push(node);
        return this.#declare(node['local']);
      case 'ExportSpecifier':
        this.#specifiers.push(node);
        return undefined;
      case 'MemberExpression':
      case 'OptionalMemberExpression':
        return count(this.#membersOf, nameOf(node['object']), node.start);
      case 'ClassDeclaration':
      case 'ClassExpression':
        return this.#declare(node['id']);
      case 'AssignmentExpression':
      case 'ForInStatement':
      case 'ForOfStatement':
        return this.#assign(asNode(node['left']));
      case 'UpdateExpression':
      case 'UnaryExpression':
        return this.#assign(asNode(node['argument']));
      case 'PrivateName':
        this.#privateNames += 1;
        return undefined;
      default:
        return this.#repeated(node);
    }
  }

  /** @param errors - how many the parser has found itself. */
  problems(errors: readonly unknown[], text: string): Problem[] {
    const all = [...errors.map(faultOf), ...this.#faults];
    let count = all.length + (errors.length > 0 ? this.#privateNames : 0);
    for (const [names, found] of [
      [this.#constants, this.#assigned],
      [this.#modules, this.#memberAssigned],
    ] as const) {
      for (const [name, place] of found) {
        if (!names.has(name)) continue;
        count += place.count;
        all.push({ message: `"${name}" cannot be assigned to: it is a constant or an import.`, offset: place.offset });
      }
    }
    if (areTooMany(this.#specifiers.length, text)) {
      count += this.#specifiers.length;
      all.push({
        message: 'The code imports and exports too many names for lines as long as these.',
        offset: this.#specifiers[0]?.start ?? 0,
      });
    }
    if (!areTooMany(count, text)) return [];
    return all.slice(0, MAX_TOLD).map((fault) => ({ code: 'ERR_BUNDLE_SYNTAX', ...fault }));
  }

  /** Whether modules are used so often that esbuild had better not say of each use that there is no such export. */
  areModulesBusy(text: string): boolean {
    let uses = 0;
    for (const [name, found] of this.#membersOf) if (this.#modules.has(name)) uses += found.count;
    return areTooMany(uses, text);
  }

  #declare(pattern: unknown): void {
    for (const { name } of namesIn(asNode(pattern))) this.#constants.add(name);
  }

  #assign(target: SyntaxNode | undefined): void {
    if (target?.type === 'MemberExpression') return count(this.#memberAssigned, nameOf(target['object']), target.start);
    // A declaration is no assignment.
    if (target === undefined || target.type === 'VariableDeclaration') return undefined;
    for (const { name, offset } of namesIn(target)) count(this.#assigned, name, offset);
  }

  /** What may be there once: later ones are faults. */
  #repeated(node: SyntaxNode): void {
    switch (node.type) {
      case 'ObjectExpression':
        return this.#once(asNodes(node['properties']).filter(setsPrototype), () => 'The property "__proto__" is given more than once.');
      case 'ClassBody':
        return this.#once(
          asNodes(node['body']).filter(
            ({ type, kind, body }) => type === 'ClassMethod' && kind === 'constructor' && asNode(body) !== undefined,
          ),
          () => 'The class has more than one constructor.',
        );
      case 'TSEnumDeclaration':
      case 'TSEnumBody':
        for (const members of Map.groupBy(asNodes(node['members']), ({ id }) => nameOf(id)).values()) {
          this.#once(members, (member) => `The enum has the member "${nameOf(member['id']) ?? ''}" more than once.`);
        }
    }
  }

  #once(nodes: readonly SyntaxNode[], messageOf: (node: SyntaxNode) => string): void {
    for (const node of nodes.slice(1)) this.#faults.push({ message: messageOf(node), offset: node.start });
  }
}

function setsPrototype({ type, key, computed, shorthand }: SyntaxNode): boolean {
  return type === 'ObjectProperty' && computed !== true && shorthand !== true && nameOf(key) === '__proto__';
}

function count(map: Map<string, { count: number; offset: number }>, name: string | undefined, offset: number): void {
  if (name === undefined) return;
  const known = map.get(name);
  if (known === undefined) map.set(name, { count: 1, offset });
  else known.count += 1;
}

/** The names in a pattern, and in what stands in it; a loop, because patterns may be deep. */
function namesIn(pattern: SyntaxNode | undefined): { name: string; offset: number }[] {
  const names: { name: string; offset: number }[] = [];
  const pending = pattern === undefined ? [] : [pattern];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    const name = node.type === 'Identifier' ? nameOf(node) : undefined;
    if (name !== undefined) names.push({ name, offset: node.start });
    else if (PATTERNS.has(node.type)) {
      for (const key of ['elements', 'properties']) pending.push(...asNodes(node[key]));
      for (const key of ['value', 'argument', 'left', 'expression']) pending.push(...asNodes([node[key]]));
    }
  }
  return names;
}

const PATTERNS = new Set([
  'ArrayPattern',
  'ObjectPattern',
  'ObjectProperty',
  'RestElement',
  'AssignmentPattern',
  'ParenthesizedExpression',
  'TSAsExpression',
  'TSNonNullExpression',
  'TSSatisfiesExpression',
  'TSTypeAssertion',
]);

/** An error that the parser has read past. */
function faultOf(error: unknown): Fault {
  const { message, loc } = error as { message?: unknown; loc?: { index?: unknown } };
  const text = String(message).replace(/ \(\d+:\d+\)$/u, '');
  return { message: /[.!?]$/u.test(text) ? text : `${text}.`, offset: typeof loc?.index === 'number' ? loc.index : 0 };
}
