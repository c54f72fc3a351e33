/** The part of the WebAssembly JavaScript API that we use: TypeScript has it in its DOM library only. */
declare namespace WebAssembly {
  type ExportKind = 'function' | 'table' | 'memory' | 'global' | 'tag';
  type ExportValue = Function | Global | Memory | Table;
  type Exports = Record<string, ExportValue>;
  type ModuleImports = Record<string, unknown>;
  type Imports = Record<string, ModuleImports>;

  class Module {
    constructor(bytes: ArrayBuffer | Uint8Array);
    static imports(module: Module): { module: string; name: string; kind: ExportKind }[];
    static exports(module: Module): { name: string; kind: ExportKind }[];
  }

  class Instance {
    constructor(module: Module, imports?: Imports);
    readonly exports: Exports;
  }

  class Memory {
    constructor(descriptor: { initial: number; maximum?: number; shared?: boolean });
    readonly buffer: ArrayBuffer;
    /** Adds pages of 64 KiB; returns the size before, in pages. */
    grow(pages: number): number;
  }

  class Global<T extends number | bigint = bigint> {
    constructor(descriptor: { value: 'i32' | 'i64' | 'f32' | 'f64'; mutable?: boolean }, value?: T);
    value: T;
  }

  class Table {
    constructor(descriptor: { element: 'anyfunc' | 'externref'; initial: number; maximum?: number });
    readonly length: number;
    get(index: number): Function | null;
    set(index: number, value: Function | null): void;
  }

  class RuntimeError extends Error {}
  class CompileError extends Error {}

  function compile(bytes: ArrayBuffer | Uint8Array): Promise<Module>;
  function validate(bytes: ArrayBuffer | Uint8Array): boolean;
}
