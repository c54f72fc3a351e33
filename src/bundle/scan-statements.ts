import type { Edit, ImportSite, Problem, Scan } from './scan-result.ts';
import { printable } from './specifiers.ts';
import { asNode, asNodes, nameOf, skipTrivia, type SyntaxNode } from './syntax-tree.ts';

/** What the statements at the top level say; the parts of a {@link Scan} that come from them. */
export interface StatementScan {
  readonly imports: { start: number; end: number }[];
  readonly sites: ImportSite[];
  readonly edits: Edit[];
  readonly namespaces: Scan['namespaces'][number][];
  readonly problems: Problem[];
  tail: string;
  /** Offset of the default export. */
  defaultExport: number | undefined;
}

interface Context extends StatementScan {
  readonly text: string;
  readonly resultName: string;
  /** Names of classes, functions and enums, with which a namespace may merge. */
  readonly declared: ReadonlySet<string>;
}

// Each is a question to esbuild of its own.
const MAX_NAMESPACES = 50;
const EXPORT = 'export'.length;
const IMPORT = 'import'.length;

/** Reads the statements at the top level of a module one by one. */
export function scanStatements(text: string, body: readonly SyntaxNode[], resultName: string): StatementScan {
  const context: Context = {
    text,
    resultName,
    declared: declaredNames(body),
    imports: [],
    sites: [],
    edits: [],
    namespaces: [],
    problems: [],
    tail: '',
    defaultExport: undefined,
  };
  for (const statement of body) scanStatement(context, statement);
  return context;
}

function scanStatement(context: Context, node: SyntaxNode): void {
  switch (node.type) {
    case 'ImportDeclaration':
      return scanImport(context, node);
    case 'TSImportEqualsDeclaration':
      return scanImportEquals(context, node);
    case 'ExportAllDeclaration':
      return scanReexport(context, node);
    case 'ExportNamedDeclaration':
      return asNode(node['source']) === undefined ? scanExport(context, node) : scanReexport(context, node);
    case 'ExportDefaultDeclaration':
      return scanDefaultExport(context, node);
    case 'TSExportAssignment':
    case 'TSNamespaceExportDeclaration':
      return refuseForm(context, node, 'This form of `export` is not for modules.', 'Write `export default value`.');
    default:
      return scanDeclaration(context, node);
  }
}

function scanImport(context: Context, node: SyntaxNode): void {
  context.imports.push({ start: node.start, end: node.end });
  erase(context, node);
  addSite(context, node);
}

function addSite(context: Context, node: SyntaxNode): void {
  const source = asNode(node['source']);
  const specifier = nameOf(source);
  if (source === undefined || specifier === undefined) return;
  context.sites.push({ specifier, offset: source.start });
  if (asNodes(node['attributes']).length === 0) return;
  context.problems.push({
    code: 'ERR_BUNDLE_IMPORT',
    message: `The import of "${printable(specifier)}" has attributes (\`with { ... }\`), and no module here takes any.`,
    hint: 'Leave the attributes out.',
    offset: source.start,
  });
}

function scanImportEquals(context: Context, node: SyntaxNode): void {
  const reference = asNode(node['moduleReference']);
  if (reference?.type === 'TSExternalModuleReference') {
    context.problems.push({
      code: 'ERR_BUNDLE_IMPORT',
      message: '`import name = require(...)` is not available.',
      hint: 'Write `import * as name from "..."`.',
      offset: node.start,
    });
    return;
  }
  if (node['importKind'] === 'type') return erase(context, node);
  context.edits.push({ start: node.start, end: node.start + IMPORT, text: 'const ' });
}

function scanReexport(context: Context, node: SyntaxNode): void {
  addSite(context, node);
  erase(context, node);
  const isDefault = asNodes(node['specifiers']).some((specifier) => nameOf(specifier['exported']) === 'default');
  if (isDefault) {
    refuseForm(context, node, 'A default export cannot be passed on from another module.', 'Import it, then `export default` its name.');
  }
}

function scanExport(context: Context, node: SyntaxNode): void {
  const declaration = asNode(node['declaration']);
  if (declaration !== undefined) {
    eraseExport(context, afterDecorators(node, declaration));
    if (declaration.type === 'TSImportEqualsDeclaration') return scanImportEquals(context, declaration);
    return scanDeclaration(context, declaration);
  }
  erase(context, node);
  for (const specifier of asNodes(node['specifiers'])) {
    if (nameOf(specifier['exported']) !== 'default' || node['exportKind'] === 'type') continue;
    setDefault(context, specifier, nameOf(specifier['local']));
  }
}

function scanDeclaration(context: Context, node: SyntaxNode): void {
  if (node['declare'] === true || node['kind'] === 'global') return erase(context, node);
  if (node.type !== 'TSModuleDeclaration') return;
  const id = asNode(node['id']);
  const name = nameOf(id?.['left']) ?? nameOf(id);
  if (id?.type === 'StringLiteral' || name === undefined) return erase(context, node);
  if (context.namespaces.length >= MAX_NAMESPACES) {
    return refuseForm(context, node, `There are more than ${MAX_NAMESPACES} namespaces.`, 'Use plain objects or functions instead.');
  }
  context.namespaces.push({ start: node.start, end: node.end, name, declared: context.declared.has(name) });
}

function scanDefaultExport(context: Context, node: SyntaxNode): void {
  const declaration = asNode(node['declaration']);
  if (declaration === undefined) return;
  if (declaration.type === 'TSInterfaceDeclaration' || declaration.type === 'TSDeclareFunction') return erase(context, node);
  const keyword = skipTrivia(context.text, afterDecorators(node, declaration));
  const defaultEnd = skipTrivia(context.text, keyword + EXPORT) + 'default'.length;
  const name = nameOf(declaration['id']);
  const isStatement = declaration.type === 'FunctionDeclaration' || declaration.type === 'ClassDeclaration';
  context.edits.push({ start: keyword, end: defaultEnd });
  if (isStatement && name !== undefined) return setDefault(context, node, name);
  const { resultName } = context;
  context.edits.push({ start: Math.min(node.start, keyword), end: Math.min(node.start, keyword), text: `;${resultName} = ` });
  context.edits.push({ start: node.end, end: node.end, text: ';' });
  setDefault(context, node, resultName);
}

function setDefault(context: Context, node: SyntaxNode, value: string | undefined): void {
  if (context.defaultExport !== undefined) {
    context.problems.push({
      code: 'ERR_BUNDLE_SYNTAX',
      message: 'There is more than one default export.',
      hint: 'A program has one result.',
      offset: node.start,
    });
  }
  context.defaultExport ??= node.start;
  if (value !== undefined) context.tail = value;
}

/** Where the search for `export` begins: behind decorators that stand in front of it. */
function afterDecorators(node: SyntaxNode, declaration: SyntaxNode): number {
  const decorators = asNodes(declaration['decorators']);
  return decorators[0]?.start === node.start ? (decorators.at(-1)?.end ?? node.start) : node.start;
}

function eraseExport(context: Context, from: number): number {
  const start = skipTrivia(context.text, from);
  context.edits.push({ start, end: start + EXPORT });
  return skipTrivia(context.text, start + EXPORT);
}

function erase(context: Context, { start, end }: SyntaxNode): void {
  context.edits.push({ start, end });
}

function refuseForm(context: Context, node: SyntaxNode, message: string, hint: string): void {
  context.problems.push({ code: 'ERR_BUNDLE_FORM', message, hint, offset: node.start });
}

function declaredNames(body: readonly SyntaxNode[]): Set<string> {
  const names = new Set<string>();
  for (const statement of body) {
    const node = statement.type.startsWith('Export') ? asNode(statement['declaration']) : statement;
    const merges = node?.type === 'ClassDeclaration' || node?.type === 'FunctionDeclaration' || node?.type === 'TSEnumDeclaration';
    const name = merges ? nameOf(node?.['id']) : undefined;
    if (name !== undefined) names.add(name);
  }
  return names;
}
