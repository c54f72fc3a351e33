/**
 * The guest contract called by hand on the core module, before there is a component around it. Strings are UTF-8 in linear memory
 * as pointer and length, lists likewise (Component Model, canonical ABI).
 */
export class CoreGuest {
  readonly #exports: Record<string, (...args: number[]) => number>;
  readonly #memory: WebAssembly.Memory;

  constructor({ exports }: WebAssembly.Instance) {
    this.#exports = exports as unknown as Record<string, (...args: number[]) => number>;
    this.#memory = exports['memory'] as WebAssembly.Memory;
  }

  /** Returns the refusal, "" for none. */
  load(script: string): string {
    const result = this.#call('load', ...this.#string(script));
    const [text = ''] = this.#strings(result, 1);
    this.#call('cabi_post_load', result);
    return text;
  }

  start(input: string, options: string): void {
    this.#call('start', ...this.#string(input), ...this.#string(options));
    this.#call('cabi_post_start');
  }

  resume(now: number, calls: readonly number[], answers: readonly string[]): void {
    const texts = answers.flatMap((answer) => this.#string(answer));
    this.#call('resume', now, this.#words(calls), calls.length, this.#words(texts), answers.length);
    this.#call('cabi_post_resume');
  }

  status(): string[] {
    const result = this.#call('status');
    const view = new DataView(this.#memory.buffer);
    const texts = this.#strings(view.getUint32(result, true), view.getUint32(result + 4, true));
    this.#call('cabi_post_status', result);
    return texts;
  }

  #call(name: string, ...args: number[]): number {
    const call = this.#exports[name];
    if (!call) throw new TypeError(`the engine has no export ${name}`);
    return call(...args);
  }

  #allocate(align: number, bytes: number): number {
    return this.#call('cabi_realloc', 0, 0, align, bytes);
  }

  #string(text: string): [number, number] {
    const bytes = Buffer.from(text, 'utf8');
    const pointer = this.#allocate(1, bytes.length);
    new Uint8Array(this.#memory.buffer).set(bytes, pointer);
    return [pointer, bytes.length];
  }

  #words(words: readonly number[]): number {
    const pointer = this.#allocate(4, words.length * 4);
    const view = new DataView(this.#memory.buffer);
    for (const [index, word] of words.entries()) view.setUint32(pointer + index * 4, word, true);
    return pointer;
  }

  #strings(pointer: number, count: number): string[] {
    const view = new DataView(this.#memory.buffer);
    return Array.from({ length: count }, (_, index) => {
      const at = view.getUint32(pointer + index * 8, true);
      return Buffer.from(this.#memory.buffer, at, view.getUint32(pointer + index * 8 + 4, true)).toString('utf8');
    });
  }
}
