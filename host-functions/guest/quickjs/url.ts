import * as machine from 'whatwg-url/lib/url-state-machine.js';
import { scalar } from './scalar.ts';
import { URLSearchParams, bind, replace } from './url-search-params.ts';

type UrlRecord = NonNullable<ReturnType<typeof machine.basicURLParse>>;

/** `URL` of the URL standard. All parsing and writing is whatwg-url's; its records are out of the program's reach. */
export class URL {
  #record: UrlRecord;
  #params: URLSearchParams | null = null;

  constructor(url: unknown, base?: unknown) {
    if (arguments.length === 0) throw new TypeError('URL: 1 argument is needed, 0 given');
    const text = scalar(url);
    const record = parse(text, base);
    if (record === null) throw new TypeError(`Invalid URL: ${text.slice(0, 1000)}`);
    this.#record = record;
  }

  static canParse(url: unknown, base?: unknown): boolean {
    return parse(scalar(url), base) !== null;
  }
  static parse(url: unknown, base?: unknown): URL | null {
    try {
      return new URL(url, base);
    } catch {
      return null;
    }
  }

  get href(): string {
    return machine.serializeURL(this.#record);
  }
  set href(value: unknown) {
    const text = scalar(value);
    const record = machine.basicURLParse(text);
    if (record === null) throw new TypeError(`Invalid URL: ${text.slice(0, 1000)}`);
    this.#record = record;
    this.#readQuery();
  }
  get origin(): string {
    return machine.serializeURLOrigin(this.#record);
  }
  get protocol(): string {
    return `${this.#record.scheme}:`;
  }
  set protocol(value: unknown) {
    this.#set(`${scalar(value)}:`, 'scheme start');
  }
  get username(): string {
    return this.#record.username;
  }
  set username(value: unknown) {
    const text = scalar(value);
    if (!machine.cannotHaveAUsernamePasswordPort(this.#record)) machine.setTheUsername(this.#record, text);
  }
  get password(): string {
    return this.#record.password;
  }
  set password(value: unknown) {
    const text = scalar(value);
    if (!machine.cannotHaveAUsernamePasswordPort(this.#record)) machine.setThePassword(this.#record, text);
  }
  get host(): string {
    return this.port === '' ? this.hostname : `${this.hostname}:${this.port}`;
  }
  set host(value: unknown) {
    const text = scalar(value);
    if (!machine.hasAnOpaquePath(this.#record)) this.#set(text, 'host');
  }
  get hostname(): string {
    return this.#record.host === null ? '' : machine.serializeHost(this.#record.host);
  }
  set hostname(value: unknown) {
    const text = scalar(value);
    if (!machine.hasAnOpaquePath(this.#record)) this.#set(text, 'hostname');
  }
  get port(): string {
    return this.#record.port === null ? '' : `${this.#record.port}`;
  }
  set port(value: unknown) {
    const text = scalar(value);
    if (machine.cannotHaveAUsernamePasswordPort(this.#record)) return;
    if (text === '') this.#record.port = null;
    else this.#set(text, 'port');
  }
  get pathname(): string {
    return machine.serializePath(this.#record);
  }
  set pathname(value: unknown) {
    const text = scalar(value);
    if (machine.hasAnOpaquePath(this.#record)) return;
    this.#record.path = [];
    this.#set(text, 'path start');
  }
  get search(): string {
    return withMark('?', this.#record.query);
  }
  set search(value: unknown) {
    const text = scalar(value);
    this.#record.query = text === '' ? null : '';
    if (text !== '') this.#set(withoutMark('?', text), 'query');
    this.#readQuery();
  }
  get searchParams(): URLSearchParams {
    if (this.#params === null) {
      this.#params = new URLSearchParams();
      this.#readQuery();
      bind(this.#params, (query) => {
        this.#record.query = query;
      });
    }
    return this.#params;
  }
  get hash(): string {
    return withMark('#', this.#record.fragment);
  }
  set hash(value: unknown) {
    const text = scalar(value);
    this.#record.fragment = text === '' ? null : '';
    if (text !== '') this.#set(withoutMark('#', text), 'fragment');
  }
  toString(): string {
    return this.href;
  }
  toJSON(): string {
    return this.href;
  }

  #set(text: string, stateOverride: string): void {
    machine.basicURLParse(text, { url: this.#record, stateOverride });
  }
  #readQuery(): void {
    if (this.#params !== null) replace(this.#params, this.#record.query);
  }
}
Object.defineProperty(URL.prototype, Symbol.toStringTag, { value: 'URL', configurable: true });

// oxlint-disable-next-line typescript/no-redundant-type-constituents -- the linter does not see libraries.d.ts
function parse(url: string, base: unknown): UrlRecord | null {
  if (base === undefined) return machine.basicURLParse(url);
  const baseURL = machine.basicURLParse(scalar(base));
  return baseURL === null ? null : machine.basicURLParse(url, { baseURL });
}

function withMark(mark: string, text: string | null): string {
  return text === null || text === '' ? '' : mark + text;
}

function withoutMark(mark: string, text: string): string {
  return text[0] === mark ? text.slice(1) : text;
}
