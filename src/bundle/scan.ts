import { parse, type ParserOptions } from '@babel/parser';
import { scanStatements, type StatementScan } from './scan-statements.ts';
import { freeName } from './free-name.ts';
import { BindingReader } from './scan-bindings.ts';
import { FaultCounter } from './scan-faults.ts';
import { EnumTexts } from './scan-enum-texts.ts';
import { readModule } from './scan-module.ts';
import { findAmbientEnum } from './scan-enums.ts';
import { findSharedParameters } from './scan-parameters.ts';
import type { Binding, ImportSite, ModuleScan, Problem, Scan, ScanResult, Unreadable } from './scan-result.ts';
import { composeProgram } from './program-text.ts';
import { PlainCode, stripTypes } from './strip-types.ts';
import { asNode, asNodes, nameOf, stringOf, type SyntaxNode, walk } from './syntax-tree.ts';

/** esbuild's time grows with the square of this and worse: 500 take it half a second. */
const MAX_SCOPES = 200;

const OPTIONS: ParserOptions = {
  sourceType: 'module',
  allowReturnOutsideFunction: true,
  errorRecovery: true,
  createImportExpressions: true,
  attachComment: false,
  plugins: ['typescript', 'decorators', 'decoratorAutoAccessors'],
};

/** Parses a text that is to be a module which others import. As {@link scan}. */
export function scanModule(text: string): ModuleScan | Unreadable {
  try {
    const file = parse(text, OPTIONS);
    const program = asNode(file.program);
    if (program === undefined) return unreadable(new TypeError('the parser gave no tree'));
    const { sites, problems, quiet } = scanProgram(text, program, file.errors ?? []).found;
    const module = readModule(text, program);
    return { ...module, sites, quiet, problems: [...problems, ...module.problems].sort((a, b) => a.offset - b.offset) };
  } catch (thrown) {
    return unreadable(thrown);
  }
}

/**
 * Parses an agent's text just enough to take its imports, exports and returns apart. Never throws. It may take very long
 * on text that is made for it, so it runs in a process that can be ended.
 */
export function scan(text: string): ScanResult {
  try {
    const file = parse(text, OPTIONS);
    const program = asNode(file.program);
    if (program === undefined) return unreadable(new TypeError('the parser gave no tree'));
    const errors = file.errors ?? [];
    const { found, isPlain } = scanProgram(text, program, errors);
    // What the parser has read past is for esbuild to judge, as long as it is little.
    return isPlain && errors.length === 0 ? withStripped(text, found) : found;
  } catch (thrown) {
    return unreadable(thrown);
  }
}

function withStripped(text: string, found: Scan): Scan {
  if (found.bindings === undefined || found.namespaces.length > 0 || found.problems.length > 0) return found;
  const stripped = stripTypes(composeProgram(text, { ...found, imports: [] }, []).text);
  return stripped === undefined ? found : { ...found, stripped };
}

function unreadable(thrown: unknown): Unreadable {
  if (thrown instanceof RangeError) {
    return { kind: 'unreadable', reason: 'nesting', message: 'The code is nested too deeply.', offset: 0 };
  }
  const { message, pos } = thrown as { message?: unknown; pos?: unknown };
  const text = String(message).replace(/ \(\d+:\d+\)$/u, '');
  return { kind: 'unreadable', reason: 'syntax', message: text, offset: typeof pos === 'number' ? pos : 0 };
}

function scanProgram(text: string, program: SyntaxNode, errors: readonly unknown[]): { found: Scan; isPlain: boolean } {
  const resultName = freeName('$result', text);
  const statements = scanStatements(text, asNodes(program['body']), resultName);
  const inside = scanInside(program);
  const faults = inside.faults.problems(errors, text);
  const problems = [...statements.problems, ...inside.problems, ...mixedForms(statements, inside.returns), ...faults];
  const found: Scan = {
    kind: 'scan',
    imports: statements.imports,
    sites: [...statements.sites, ...inside.sites].sort((a, b) => a.offset - b.offset),
    bindings: inside.bindings,
    edits: statements.edits,
    namespaces: statements.namespaces,
    resultName,
    programName: freeName('$ampouleProgram', text),
    tail: statements.tail,
    problems: problems.sort((a, b) => a.offset - b.offset),
    quiet: inside.faults.areModulesBusy(text),
  };
  return { found, isPlain: inside.isPlain };
}

function mixedForms({ defaultExport }: StatementScan, returns: readonly number[]): Problem[] {
  const first = returns[0];
  if (defaultExport === undefined || first === undefined) return [];
  return [
    {
      code: 'ERR_BUNDLE_FORM',
      message: 'The code has both a top-level `return` and an `export default`, so it has two results.',
      hint: 'Keep one of them: `return value` at the top level, or `export default value`.',
      offset: Math.max(first, defaultExport),
    },
  ];
}

interface InsideScan {
  readonly sites: ImportSite[];
  readonly returns: number[];
  readonly problems: Problem[];
  readonly bindings: Binding[] | undefined;
  readonly isPlain: boolean;
  readonly faults: FaultCounter;
}

function scanInside(program: SyntaxNode): InsideScan {
  const bindings = new BindingReader(asNodes(program['body']));
  const plain = new PlainCode();
  const faults = new FaultCounter();
  const enums = new EnumTexts();
  const sites: ImportSite[] = [];
  const returns: number[] = [];
  const problems: Problem[] = [];
  let deepest: SyntaxNode | undefined;
  walk(program, (node, { inFunction, scopes }) => {
    if (scopes > MAX_SCOPES) deepest ??= node;
    bindings.see(node);
    plain.see(node);
    faults.see(node);
    enums.see(node);
    const problem = findSharedParameters(node) ?? findAmbientEnum(node);
    if (problem !== undefined) problems.push(problem);
    if (node.type === 'ReturnStatement' && !inFunction) returns.push(node.start);
    if (node.type === 'ImportExpression') scanDynamicImport(node, sites, problems);
    if (node.type === 'MetaProperty' && nameOf(node['meta']) === 'import') {
      problems.push({
        code: 'ERR_BUNDLE_IMPORT',
        message: '`import.meta` is not available: the program is a script and has no address.',
        offset: node.start,
      });
    }
  });
  if (deepest !== undefined) {
    problems.push({
      code: 'ERR_BUNDLE_SYNTAX',
      message: `Functions and blocks are nested more than ${MAX_SCOPES} deep.`,
      hint: 'Split the code into smaller functions.',
      offset: deepest.start,
    });
  }
  problems.push(...enums.problems);
  returns.sort((a, b) => a - b);
  return { sites, returns, problems, bindings: bindings.bindings, isPlain: plain.isPlain, faults };
}

function scanDynamicImport(node: SyntaxNode, sites: ImportSite[], problems: Problem[]): void {
  const source = asNode(node['source']);
  const specifier = stringOf(source) ?? plainTemplate(source);
  if (specifier !== undefined && source !== undefined && asNode(node['options']) === undefined) {
    sites.push({ specifier, offset: source.start });
    return;
  }
  problems.push({
    code: 'ERR_BUNDLE_IMPORT',
    message: specifier === undefined ? '`import()` needs the name of its module as a plain string.' : '`import()` takes no options.',
    hint: 'Import by name at the top of the code: import * as name from "servers/name".',
    offset: node.start,
  });
}

function plainTemplate(node: SyntaxNode | undefined): string | undefined {
  if (node?.type !== 'TemplateLiteral' || asNodes(node['expressions']).length > 0) return undefined;
  const value = asNodes(node['quasis'])[0]?.['value'];
  const cooked = typeof value === 'object' && value !== null && 'cooked' in value ? value.cooked : undefined;
  return typeof cooked === 'string' ? cooked : undefined;
}
