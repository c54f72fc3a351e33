import type { Problem } from './scan-result.ts';
import { asNode, asNodes, nameOf, type SyntaxNode } from './syntax-tree.ts';

/** Most characters that the texts of enums may come to where they are used: esbuild puts each in the place of its name. */
const MAX_CHARACTERS = 1_000_000;

/** Reckons what a program's enums with texts come to. Against: a few lines whose texts double with each member. */
export class EnumTexts {
  readonly #members: SyntaxNode[] = [];
  readonly #uses = new Map<string, number>();

  /** To be called with every node. */
  see(node: SyntaxNode): void {
    if (node.type === 'TSEnumMember') this.#members.push(node);
    const name = usedName(node);
    if (name !== undefined) this.#uses.set(name, (this.#uses.get(name) ?? 0) + 1);
  }

  get problems(): Problem[] {
    const sizes = new Map<string, number>();
    let total = 0;
    // A member can name only earlier ones.
    for (const member of this.#members.sort((a, b) => a.start - b.start)) {
      const name = nameOf(member['id']) ?? '';
      const size = textSize(asNode(member['initializer']), sizes);
      sizes.set(name, Math.max(size, sizes.get(name) ?? 0));
      total += size * (1 + (this.#uses.get(name) ?? 0));
      if (total > MAX_CHARACTERS) return [tooLarge(member)];
    }
    return [];
  }
}

function tooLarge({ start }: SyntaxNode): Problem {
  return {
    code: 'ERR_BUNDLE_TOO_LARGE',
    message: `The texts of the enums come to more than ${MAX_CHARACTERS} characters: each stands wherever its member is named.`,
    hint: 'Use a plain object of constants instead of the enum.',
    offset: start,
  };
}

/** The member that `a.name` or `a["name"]` names. */
function usedName({ type, property }: SyntaxNode): string | undefined {
  return type === 'MemberExpression' || type === 'OptionalMemberExpression' ? nameOf(property) : undefined;
}

const TEXTS = new Set(['StringLiteral', 'TemplateElement']);

/** At the most, the characters of a member's text. A loop, because sums may be deep. */
function textSize(initializer: SyntaxNode | undefined, sizes: ReadonlyMap<string, number>): number {
  let size = 0;
  const pending = initializer === undefined ? [] : [initializer];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    const name = node.type === 'Identifier' ? nameOf(node) : undefined;
    if (name !== undefined) size += sizes.get(name) ?? 0;
    else if (TEXTS.has(node.type)) size += Math.max(node.end - node.start, sizes.get(nameOf(node) ?? '') ?? 0);
    for (const value of Object.values(node)) pending.push(...(Array.isArray(value) ? asNodes(value) : asNodes([value])));
  }
  return size;
}
