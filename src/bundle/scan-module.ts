import type { SkillExport } from '../skill/skill.ts';
import type { ModuleScan, Problem } from './scan-result.ts';
import { asNode, asNodes, nameOf, stringOf, type SyntaxNode, walk } from './syntax-tree.ts';
import { headOf } from './signature-text.ts';

/** What a module may have at its top level beside imports and exports. */
const DECLARATIONS = new Set([
  'VariableDeclaration',
  'FunctionDeclaration',
  'ClassDeclaration',
  'TSInterfaceDeclaration',
  'TSTypeAliasDeclaration',
  'TSEnumDeclaration',
  'TSModuleDeclaration',
  'TSDeclareFunction',
  'EmptyStatement',
]);
const MAX_EXPORTS = 200;

type Read = Pick<ModuleScan, 'kind' | 'exports' | 'uses' | 'calls'> & { readonly problems: readonly Problem[] };

/** Reads what a module exports and uses, and refuses what an import must not do. */
export function readModule(text: string, program: SyntaxNode): Read {
  const reader = new ModuleReader(text, asNodes(program['body']));
  walk(program, (node, { inFunction }) => reader.see(node, inFunction));
  return reader.finish();
}

class ModuleReader {
  readonly #text: string;
  readonly #exports: SkillExport[] = [];
  readonly #problems: Problem[] = [];
  readonly #uses = new Map<string, Set<string> | '*'>();
  readonly #calls: [string, string][] = [];
  /** Top-level declarations by name. */
  readonly #declared = new Map<string, SyntaxNode>();

  constructor(text: string, body: readonly SyntaxNode[]) {
    this.#text = text;
    for (const statement of body) this.#declare(asNode(statement['declaration']) ?? statement);
    for (const statement of body) this.#statement(statement);
  }

  /** To be called with every node. */
  see(node: SyntaxNode, inFunction: boolean): void {
    if (!inFunction) this.#refuseRunning(node);
    if (node.type === 'ImportExpression') this.#use(stringOf(node['source']), '*');
    if (node.type !== 'CallExpression' || nameOf(node['callee']) !== 'callTool') return;
    const [server, tool] = asNodes(node['arguments']).map(stringOf);
    if (server !== undefined && tool !== undefined) this.#calls.push([server, tool]);
  }

  finish(): Read {
    if (this.#exports.length === 0 && this.#problems.length === 0) {
      this.#refuse('The skill exports nothing.', 'Put `export` in front of the functions, constants and types that programs import.', 0);
    }
    const uses = [...this.#uses].map(([specifier, names]) => ({ specifier, names: names === '*' ? ('*' as const) : [...names] }));
    return { kind: 'module', exports: this.#exports, problems: this.#problems, uses, calls: this.#calls };
  }

  #refuse(message: string, hint: string, offset: number): void {
    this.#problems.push({ code: 'ERR_SKILL_INVALID', message, hint, offset });
  }

  #refuseRunning(node: SyntaxNode): void {
    const isAwait = node.type === 'AwaitExpression' || (node.type === 'ForOfStatement' && node['await'] === true);
    if (isAwait) this.#refuse('A skill has no `await` at its top level.', 'Await inside of an exported async function.', node.start);
    if (node.type !== 'ReturnStatement') return;
    this.#refuse('A skill has no result: it cannot `return` at its top level.', 'Export a function that returns.', node.start);
  }

  #declare(node: SyntaxNode): void {
    const name = nameOf(node['id']);
    // The body of an overloaded function counts, not its first line.
    if (name !== undefined && this.#declared.get(name)?.type !== 'FunctionDeclaration') this.#declared.set(name, node);
    for (const declarator of asNodes(node['declarations'])) {
      const variable = nameOf(declarator['id']);
      if (variable !== undefined) this.#declared.set(variable, { ...declarator, kind: node['kind'] });
    }
  }

  #statement(node: SyntaxNode): void {
    switch (node.type) {
      case 'ImportDeclaration':
        return this.#import(node);
      case 'ExportNamedDeclaration':
        return this.#export(node);
      case 'ExportAllDeclaration':
        return this.#refuse('`export *` does not say what a skill exports.', 'Write `export { name } from "..."`.', node.start);
      case 'ExportDefaultDeclaration':
        return this.#refuse('A skill has no default export.', 'Give what it exports names: `export function name() {}`.', node.start);
      default:
        return this.#declaration(node);
    }
  }

  #declaration(node: SyntaxNode): void {
    const isGlobal = node.type === 'TSModuleDeclaration' && (node['kind'] === 'global' || asNode(node['id'])?.type === 'StringLiteral');
    if (isGlobal) return this.#refuse('A skill cannot declare globals or other modules.', 'Export types instead.', node.start);
    const isUsing = node.type === 'VariableDeclaration' && !['const', 'let', 'var'].includes(String(node['kind']));
    if (DECLARATIONS.has(node.type) && !isUsing) return;
    // Import and export forms of TypeScript alone, and returns, are judged elsewhere.
    if (node.type.startsWith('TS') || node.type === 'ReturnStatement') return;
    this.#refuse('A skill only declares: this statement would run with every import.', 'Put it into an exported function.', node.start);
  }

  #import(node: SyntaxNode): void {
    const specifier = stringOf(node['source']);
    const parts = asNodes(node['specifiers']);
    const isWhole = parts.some(({ type }) => type !== 'ImportSpecifier');
    const names = parts.map((part) => nameOf(part['imported'])).filter((name) => name !== undefined);
    this.#use(specifier, isWhole ? '*' : names);
  }

  #use(specifier: string | undefined, names: readonly string[] | '*'): void {
    if (specifier === undefined) return;
    const before = this.#uses.get(specifier);
    this.#uses.set(specifier, names === '*' || before === '*' ? '*' : new Set([...(before ?? []), ...names]));
  }

  #export(node: SyntaxNode): void {
    const declaration = asNode(node['declaration']);
    if (declaration !== undefined) {
      this.#declaration(declaration);
      for (const [name, declared] of this.#namesOf(declaration)) this.#add(name, declared, name);
      return;
    }
    const specifier = stringOf(node['source']);
    const parts = asNodes(node['specifiers']);
    const onlyTypes = node['exportKind'] === 'type';
    for (const part of parts) this.#exportName(part, specifier, onlyTypes);
    const names = parts.map((part) => nameOf(part['local'])).filter((name) => name !== undefined);
    this.#use(specifier, names);
  }

  #exportName(part: SyntaxNode, specifier: string | undefined, onlyTypes: boolean): void {
    const [local, name] = [nameOf(part['local']), nameOf(part['exported'])];
    if (name === undefined) return;
    if (name === 'default') return this.#refuse('A skill has no default export.', 'Export it by its name.', part.start);
    const isType = onlyTypes || part['exportKind'] === 'type';
    const declared = specifier === undefined && local !== undefined ? this.#declared.get(local) : undefined;
    if (declared !== undefined && !isType) return this.#add(name, declared, name);
    const origin = specifier === undefined ? '' : ` (of ${specifier})`;
    this.#push({ name, kind: isType ? 'type' : 'constant', signature: `${isType ? 'type ' : ''}${name}${origin}` });
  }

  #namesOf(node: SyntaxNode): [string, SyntaxNode][] {
    if (node.type !== 'VariableDeclaration') {
      const name = nameOf(node['id']);
      return name === undefined ? [] : [[name, node]];
    }
    return asNodes(node['declarations']).flatMap((declarator): [string, SyntaxNode][] => {
      const name = nameOf(declarator['id']);
      if (name !== undefined) return [[name, { ...declarator, kind: node['kind'] }]];
      this.#refuse('A skill exports its constants one by one.', 'Write `export const name = value`.', declarator.start);
      return [];
    });
  }

  #add(name: string, node: SyntaxNode, shown: string): void {
    if (node.type === 'VariableDeclarator' && node['kind'] !== 'const') {
      this.#refuse(`The export "${name}" can change.`, 'Export a `const`, or functions that read and write it.', node.start);
    }
    this.#push({ name, ...headOf(this.#text, node, shown) });
  }

  #push(entry: SkillExport): void {
    const isKnown = this.#exports.some(({ name, kind }) => name === entry.name && (kind === 'type') === (entry.kind === 'type'));
    if (isKnown) return;
    if (this.#exports.length === MAX_EXPORTS) this.#refuse(`A skill exports at most ${MAX_EXPORTS} names.`, 'Make it two skills.', 0);
    if (this.#exports.length <= MAX_EXPORTS) this.#exports.push(entry);
  }
}
