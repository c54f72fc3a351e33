/* oxlint-disable typescript/unbound-method -- taken off their owner on purpose */
import { parseUrlencodedString, serializeUrlencoded } from 'whatwg-url/lib/urlencoded.js';
import { scalar } from './scalar.ts';

type Pair = [name: string, value: string];

/** The URL that a list of parameters belongs to hears of each change: the new query, null for none. */
type Listener = (query: string | null) => void;

/** `URLSearchParams` of the URL standard. Parsing and writing are whatwg-url's; the list is out of the program's reach. */
export class URLSearchParams {
  #pairs: Pair[] = [];
  #changed: Listener | null = null;

  constructor(init: unknown = '') {
    this.#pairs = pairsOf(init);
  }

  /** The parameters of a URL: `bind` follows them, `replace` sets them. Taken off the class before a program can see it. */
  static bind(params: URLSearchParams, changed: Listener): void {
    params.#changed = changed;
  }
  static replace(params: URLSearchParams, query: string | null): void {
    params.#pairs = query === null || query === '' ? [] : parseUrlencodedString(query);
  }

  get size(): number {
    return this.#pairs.length;
  }
  append(name: unknown, value: unknown): void {
    needs(arguments.length, 2, 'append');
    this.#pairs.push([scalar(name), scalar(value)]);
    this.#update();
  }
  delete(name: unknown, value?: unknown): void {
    needs(arguments.length, 1, 'delete');
    const [key, only] = wanted(name, value);
    this.#pairs = this.#pairs.filter((pair) => pair[0] !== key || (only !== undefined && pair[1] !== only));
    this.#update();
  }
  get(name: unknown): string | null {
    needs(arguments.length, 1, 'get');
    const key = scalar(name);
    return this.#pairs.find((pair) => pair[0] === key)?.[1] ?? null;
  }
  getAll(name: unknown): string[] {
    needs(arguments.length, 1, 'getAll');
    const key = scalar(name);
    return this.#pairs.filter((pair) => pair[0] === key).map((pair) => pair[1]);
  }
  has(name: unknown, value?: unknown): boolean {
    needs(arguments.length, 1, 'has');
    const [key, only] = wanted(name, value);
    return this.#pairs.some((pair) => pair[0] === key && (only === undefined || pair[1] === only));
  }
  set(name: unknown, value: unknown): void {
    needs(arguments.length, 2, 'set');
    const [key, text] = [scalar(name), scalar(value)];
    const at = this.#pairs.findIndex((pair) => pair[0] === key);
    if (at === -1) this.#pairs.push([key, text]);
    else this.#pairs = this.#pairs.filter((pair, index) => index <= at || pair[0] !== key).with(at, [key, text]);
    this.#update();
  }
  sort(): void {
    this.#pairs.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
    this.#update();
  }
  forEach(callback: (value: string, key: string, parent: URLSearchParams) => unknown, self?: unknown): void {
    if (typeof callback !== 'function') throw new TypeError('URLSearchParams.forEach: the callback is not a function');
    for (let i = 0; i < this.#pairs.length; i++) {
      const [key, value] = this.#pairs[i];
      Reflect.apply(callback, self, [value, key, this]);
    }
  }
  entries(): Iterator<Pair> {
    return iterate(
      () => this.#pairs,
      ([key, value]): Pair => [key, value],
    );
  }
  keys(): Iterator<string> {
    return iterate(
      () => this.#pairs,
      ([key]) => key,
    );
  }
  values(): Iterator<string> {
    return iterate(
      () => this.#pairs,
      ([, value]) => value,
    );
  }
  toString(): string {
    return serializeUrlencoded(this.#pairs);
  }

  #update(): void {
    this.#changed?.(this.#pairs.length === 0 ? null : serializeUrlencoded(this.#pairs));
  }
}

export const { bind, replace } = URLSearchParams;
for (const name of ['bind', 'replace']) delete (URLSearchParams as unknown as Record<string, unknown>)[name];

function wanted(name: unknown, value: unknown): [string, string | undefined] {
  return [scalar(name), value === undefined ? undefined : scalar(value)];
}

function needs(given: number, count: number, method: string): void {
  if (given < count) throw new TypeError(`URLSearchParams.${method}: ${count} arguments are needed, ${given} given`);
}

function pairsOf(init: unknown): Pair[] {
  if ((typeof init !== 'object' || init === null) && typeof init !== 'function') {
    const text = scalar(init);
    return parseUrlencodedString(text[0] === '?' ? text.slice(1) : text);
  }
  const iterator: unknown = (init as Partial<Iterable<unknown>>)[Symbol.iterator];
  if (iterator === undefined || iterator === null) return recordPairs(init as Record<string, unknown>);
  return Array.from(init as Iterable<Iterable<unknown>>, (item) => {
    const pair = Array.from(item, scalar);
    if (pair.length !== 2) throw new TypeError('URLSearchParams: each item must be a name and a value');
    return pair as Pair;
  });
}

function recordPairs(record: Record<string, unknown>): Pair[] {
  const pairs = new Map<string, string>();
  for (const key of Reflect.ownKeys(record)) {
    if (!Reflect.getOwnPropertyDescriptor(record, key)?.enumerable) continue;
    if (typeof key === 'symbol') throw new TypeError('URLSearchParams: a name is a symbol');
    pairs.set(scalar(key), scalar(record[key]));
  }
  return [...pairs];
}

const ListIterator = Object.create(Iterator.prototype as object, {
  [Symbol.toStringTag]: { value: 'URLSearchParams Iterator', configurable: true },
}) as object;

/** Live, as the standard wants it: what is appended during the walk comes too. */
function iterate<T>(list: () => Pair[], pick: (pair: Pair) => T): Iterator<T> {
  let at = 0;
  const next = (): IteratorResult<T> => {
    const pair = list()[at++];
    return pair === undefined ? { done: true, value: undefined } : { done: false, value: pick(pair) };
  };
  return Object.defineProperty(Object.create(ListIterator) as Iterator<T>, 'next', { value: next, writable: true, configurable: true });
}

const { prototype } = URLSearchParams;
Object.defineProperty(prototype, Symbol.iterator, { value: prototype.entries, writable: true, configurable: true });
Object.defineProperty(prototype, Symbol.toStringTag, { value: 'URLSearchParams', configurable: true });
