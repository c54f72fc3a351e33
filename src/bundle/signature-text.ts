import type { SkillExport } from '../skill/skill.ts';
import { asNode, asNodes, type SyntaxNode } from './syntax-tree.ts';

const MAX_SIGNATURE = 300;
/** What is longer is not looked at: most of it would be comments. */
const MAX_TEXT = 4_000;

/** What a declaration is and how it is used, on one line: a function without its body, a type with all of it. */
export function headOf(text: string, node: SyntaxNode, name: string): Pick<SkillExport, 'kind' | 'signature'> {
  switch (node.type) {
    case 'FunctionDeclaration':
    case 'TSDeclareFunction':
      return { kind: 'function', signature: line(name + callOf(text, node)) };
    case 'ClassDeclaration':
      return { kind: 'class', signature: `class ${name}` };
    case 'TSEnumDeclaration':
      return { kind: 'constant', signature: line(text.slice(node.start, node.end)) };
    case 'TSInterfaceDeclaration':
    case 'TSTypeAliasDeclaration':
      return { kind: 'type', signature: line(text.slice(node.start, node.end)) };
    case 'VariableDeclarator':
      return variable(text, node, name);
    default:
      return { kind: 'constant', signature: name };
  }
}

function variable(text: string, node: SyntaxNode, name: string): Pick<SkillExport, 'kind' | 'signature'> {
  const [id, value] = [asNode(node['id']), asNode(node['init'])];
  const type = asNode(id?.['typeAnnotation']);
  const isFunction = value?.type === 'ArrowFunctionExpression' || value?.type === 'FunctionExpression';
  if (type !== undefined) return { kind: isFunction ? 'function' : 'constant', signature: line(name + text.slice(type.start, type.end)) };
  if (isFunction && value !== undefined) return { kind: 'function', signature: line(name + callOf(text, value)) };
  return { kind: 'constant', signature: name };
}

/** Type parameters, parameters and result of a function as they are written. */
function callOf(text: string, node: SyntaxNode): string {
  const parameters = asNodes(node['params']).map(({ start, end }) => text.slice(start, end));
  const part = (key: string): string => {
    const found = asNode(node[key]);
    return found === undefined ? '' : text.slice(found.start, found.end);
  };
  return `${part('typeParameters')}(${parameters.join(', ')})${part('returnType')}`;
}

function line(text: string): string {
  const plain = text
    .slice(0, MAX_TEXT)
    .replaceAll(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/gu, ' ')
    .replaceAll(/\s+/gu, ' ')
    .trim();
  return plain.length > MAX_SIGNATURE ? `${plain.slice(0, MAX_SIGNATURE)}…` : plain;
}
