/** The way to a value in a JSON document: keys of objects and indexes of lists. */
export type JsonPath = readonly (string | number)[];

/** Where a value stands, as offsets into the text. `key` is where the property's name begins; for list items it equals `start`. */
interface JsonSpan {
  readonly key: number;
  readonly start: number;
  readonly end: number;
}

/** A key that JSON allows but a config file cannot have. */
interface BadKey {
  readonly path: JsonPath;
  readonly offset: number;
  readonly reason: string;
}

/** A parsed document: objects have no prototype, and the position of every value is kept. */
export interface JsonSource {
  readonly value: unknown;
  readonly badKeys: readonly BadKey[];
  /** The span of each value, under `JSON.stringify(path)`. */
  readonly spans: ReadonlyMap<string, JsonSpan>;
}

/** The text is not JSON. `path` is how far the parser had come. */
export class JsonSyntaxError extends Error {
  readonly offset: number;
  readonly path: JsonPath;

  constructor(message: string, offset: number, path: JsonPath) {
    super(message);
    this.offset = offset;
    this.path = path;
  }
}

/** Deeper than any config needs, and far from the end of the stack. */
const MAX_DEPTH = 100;
// oxlint-disable-next-line no-control-regex -- JSON forbids control characters in strings
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const SCALAR = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y;
const SPACE = /[ \t\r\n]*/y;

/** Parses strict JSON (RFC 8259). Throws {@link JsonSyntaxError}. */
export function parseJson(text: string): JsonSource {
  return new Parser(text).document();
}

class Parser {
  private readonly text: string;
  private readonly spans = new Map<string, JsonSpan>();
  private readonly badKeys: BadKey[] = [];
  private readonly path: (string | number)[] = [];
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  document(): JsonSource {
    this.match(SPACE);
    const value = this.value(this.at);
    if (this.at < this.text.length) this.fail('expected the end of the file');
    return { value, badKeys: this.badKeys, spans: this.spans };
  }

  /** Reads a value and the space behind it. */
  private value(key: number): unknown {
    const start = this.at;
    const value = this.bareValue();
    this.spans.set(JSON.stringify(this.path), { key, start, end: this.at });
    this.match(SPACE);
    return value;
  }

  private bareValue(): unknown {
    if (this.path.length > MAX_DEPTH) this.fail(`expected no more than ${MAX_DEPTH} levels of nesting`);
    if (this.take('{')) return this.object();
    if (this.take('[')) return this.list();
    const token = this.match(STRING) ?? this.match(SCALAR);
    if (token === undefined) return this.fail('expected a value');
    return JSON.parse(token);
  }

  private object(): Record<string, unknown> {
    const object: Record<string, unknown> = Object.create(null);
    this.match(SPACE);
    if (this.take('}')) return object;
    do {
      this.match(SPACE);
      const start = this.at;
      const token = this.match(STRING) ?? this.fail('expected a key in double quotes');
      this.property(object, JSON.parse(token), start);
    } while (this.take(','));
    if (!this.take('}')) this.fail('expected "," or "}"');
    return object;
  }

  private property(object: Record<string, unknown>, key: string, start: number): void {
    this.path.push(key);
    this.match(SPACE);
    if (!this.take(':')) this.fail('expected ":" after the key');
    this.match(SPACE);
    const reason = key === '__proto__' ? 'is never a key here' : Object.hasOwn(object, key) ? 'stands twice in the same object' : undefined;
    if (reason !== undefined) this.badKeys.push({ path: [...this.path], offset: start, reason });
    const value = this.value(start);
    if (key !== '__proto__') object[key] = value;
    this.path.pop();
  }

  private list(): unknown[] {
    const list: unknown[] = [];
    this.match(SPACE);
    if (this.take(']')) return list;
    do {
      this.match(SPACE);
      this.path.push(list.length);
      list.push(this.value(this.at));
      this.path.pop();
    } while (this.take(','));
    if (!this.take(']')) this.fail('expected "," or "]"');
    return list;
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const token = pattern.exec(this.text)?.[0];
    this.at += token?.length ?? 0;
    return token;
  }

  private take(character: string): boolean {
    const found = this.text[this.at] === character;
    if (found) this.at += 1;
    return found;
  }

  private fail(expected: string): never {
    const found = this.text.codePointAt(this.at);
    const got = found === undefined ? 'the end of the file' : JSON.stringify(String.fromCodePoint(found));
    throw new JsonSyntaxError(`${expected}, got ${got}`, this.at, [...this.path]);
  }
}

/** The value at a path of a parsed document; undefined where there is none. */
export function valueAt(document: unknown, path: JsonPath): unknown {
  let value = document;
  for (const word of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, word)) return undefined;
    value = (value as Record<string | number, unknown>)[word]; // any object may be asked for an own key
  }
  return value;
}
