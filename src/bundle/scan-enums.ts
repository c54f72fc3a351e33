import type { Problem } from './scan-result.ts';
import type { SyntaxNode } from './syntax-tree.ts';

/** A `declare const enum`, whose members TypeScript alone would put in their places: nothing of it is there at run time. */
export function findAmbientEnum({ type, declare, const: isConst, start }: SyntaxNode): Problem | undefined {
  if (type !== 'TSEnumDeclaration' || declare !== true || isConst !== true) return undefined;
  return {
    code: 'ERR_BUNDLE_FORM',
    message: 'A `declare const enum` has no values when the code runs.',
    hint: 'Write `const enum` without `declare`.',
    offset: start,
  };
}
