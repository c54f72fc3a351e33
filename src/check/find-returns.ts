/** Returns outside of every function, as far as a look at the tokens can tell. */
export interface FoundReturns {
  /** Offsets of `return`; each of them is certainly at the top level. */
  readonly offsets: readonly number[];
  /** False when a slash could have been a division or a regular expression: then nothing was found. */
  readonly sure: boolean;
}

interface Frame {
  readonly open: string;
  /** The keyword in front of a parenthesis: `if`, `for`, ... */
  readonly head: string | undefined;
  /** A block of statements that belongs to no function. */
  readonly block: boolean;
}

interface Token {
  readonly text: string;
  /** For a closing bracket: what it closes. */
  readonly frame?: Frame | undefined;
}

const TOKEN =
  /\s+|\/\/[^\n\r\u2028\u2029]*|\/\*[\s\S]*?(?:\*\/|$)|"(?:[^"\\\n\r]|\\[\s\S])*"?|'(?:[^'\\\n\r]|\\[\s\S])*'?|[\p{ID_Start}$_#@][\p{ID_Continue}$\u200C\u200D]*|\.?\d[\w.]*|=>|\?\.|\+\+|--|[\s\S]/uy;
const REGULAR_EXPRESSION = /\/(?:[^\\/[\n\r]|\\[^\n\r]|\[(?:[^\]\\\n\r]|\\[^\n\r])*\])+\/\w*/uy;
const TEMPLATE = /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*(?:`|\$\{)?/uy;
const BLOCK_HEADS = new Set(['if', 'for', 'while', 'switch', 'with', 'catch']);
const BLOCK_WORDS = new Set(['else', 'try', 'finally', 'do', 'catch']);
const BEFORE_EXPRESSION = new Set([
  'return',
  'typeof',
  'case',
  'in',
  'delete',
  'void',
  'throw',
  'new',
  'instanceof',
  'do',
  'else',
  'await',
]);

/**
 * Looks for top-level returns in one linear pass over the tokens. It may miss some (inside a `case x: { }`, a labelled block);
 * it never takes the return of a function for one. The type checker itself knows the rest.
 */
export function findReturns(text: string): FoundReturns {
  return text.includes('return') ? new ReturnFinder(text).find() : { offsets: [], sure: true };
}

class ReturnFinder {
  readonly #text: string;
  readonly #frames: Frame[] = [];
  readonly #offsets: number[] = [];
  #previous: Token | undefined;
  #beforePrevious: Token | undefined;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  find(): FoundReturns {
    while (this.#at < this.#text.length) {
      const start = this.#at;
      const text = this.#take(TOKEN);
      if (/^(?:\s|\/[/*])/u.test(text)) continue;
      if (text === '/' && !this.#slash(start)) return { offsets: [], sure: false };
      if (text !== '/') this.#token(text, start);
    }
    return { offsets: this.#offsets, sure: true };
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += match.length;
    return match;
  }

  #token(text: string, start: number): void {
    if (text === '`') return this.#template();
    if (text === '{' || text === '(' || text === '[') return this.#open(text);
    if (text === '}' || text === ')' || text === ']') return this.#close(text);
    if (text === 'return' && this.#previous?.text !== '.' && this.#previous?.text !== '?.' && this.#isStatementLevel()) {
      this.#offsets.push(start);
    }
    this.#push({ text });
  }

  #push(token: Token): void {
    this.#beforePrevious = this.#previous;
    this.#previous = token;
  }

  #isStatementLevel(): boolean {
    return this.#frames.at(-1)?.block ?? true;
  }

  #open(open: string): void {
    this.#frames.push({
      open,
      head: open === '(' ? this.#head() : undefined,
      block: open === '{' && this.#isStatementLevel() && this.#opensBlock(),
    });
    this.#push({ text: open });
  }

  #head(): string | undefined {
    const [word, before] = [this.#previous?.text, this.#beforePrevious?.text];
    if (word === 'await' && before === 'for') return 'for';
    return word !== undefined && before !== '.' && before !== '?.' && BLOCK_HEADS.has(word) ? word : undefined;
  }

  #opensBlock(): boolean {
    const before = this.#previous;
    if (before === undefined || before.text === ';' || before.text === '{') return true;
    if (before.text === ')') return before.frame?.head !== undefined;
    if (before.text === '}') return before.frame?.block === true;
    return BLOCK_WORDS.has(before.text);
  }

  #close(text: string): void {
    const frame = this.#frames.pop();
    if (frame?.open === '`') this.#template();
    else this.#push({ text, frame });
  }

  #template(): void {
    const part = this.#take(TEMPLATE);
    if (part.endsWith('${')) {
      this.#frames.push({ open: '`', head: undefined, block: false });
      this.#push({ text: '${' });
    } else this.#push({ text: '`' });
  }

  /** Reads past a division or a regular expression; false when it may be either. */
  #slash(start: number): boolean {
    const kind = this.#slashKind();
    if (kind === undefined) return false;
    if (kind === 'regex') {
      this.#at = start;
      if (this.#take(REGULAR_EXPRESSION) === '') return false;
      this.#push({ text: '0' });
    } else this.#push({ text: '/' });
    return true;
  }

  #slashKind(): 'regex' | 'division' | undefined {
    const before = this.#previous;
    if (before === undefined) return 'regex';
    const { text, frame } = before;
    if (text === ')') return frame?.head === undefined ? 'division' : 'regex';
    if (text === '}') return frame?.block === true ? 'regex' : undefined;
    if (text === '>' || text === '!' || text === '++' || text === '--' || text === 'of' || text === 'yield') return undefined;
    if (BEFORE_EXPRESSION.has(text)) return this.#beforePrevious?.text === '.' ? 'division' : 'regex';
    return /^[\p{ID_Start}$_\d"'`\].#@]/u.test(text) ? 'division' : 'regex';
  }
}
