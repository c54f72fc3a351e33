/** A module by its name in one of our own spaces. */
export interface VirtualModule {
  readonly space: 'servers' | 'ampoule' | 'skills';
  readonly path: string;
}

/** Why an import does not work; travels through esbuild as it is. */
export interface Refusal {
  readonly message: string;
  readonly hint?: string;
  /** The message is the reason why a library cannot be used, and no sentence. */
  readonly aboutLibrary?: boolean;
}

type Resolved = VirtualModule | 'library' | Refusal;

/** Everything that a bundle may be made of. */
export interface ModuleSource {
  /** What the program or a skill imports; other virtual modules import nothing. */
  resolve(specifier: string, kind: 'import' | 'require'): Resolved;
  /** The program, TypeScript. */
  readonly entry: string;
  /** The text of another virtual module. */
  load(module: VirtualModule): Promise<{ contents: string; loader: 'js' | 'ts' }>;
  loadLibrary(path: string): Promise<{ ok: true; contents: string; loader: 'js' | 'ts' | 'json' } | { ok: false; message: string }>;
  /** Real folder that libraries are resolved from; nothing above the specifiers depends on where it is. */
  readonly root: string;
}

/** One message of esbuild. Lines are 1-based, columns 0-based and in bytes. */
export interface BuildMessage {
  readonly id: string;
  readonly text: string;
  readonly refusal?: Refusal;
  /** `agent:program`, `skills:triage`, `servers:github/index.ts`, or a library's path below the root. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export type BuildOutcome =
  | { readonly ok: true; readonly script: string; readonly map: string; readonly warnings: readonly BuildMessage[] }
  | { readonly ok: false; readonly errors: readonly BuildMessage[] };

/** What links the files of one server and `ampoule` to one module without imports. */
export interface LinkSource {
  readonly root: string;
  readonly entry: string;
  resolve(specifier: string, importer: string): VirtualModule | Refusal;
  load(module: VirtualModule): string;
}
