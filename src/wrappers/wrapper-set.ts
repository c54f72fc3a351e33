import type { Catalog } from '../upstream/catalog.ts';

/** One generated function: how an agent imports and calls one upstream tool. */
export interface WrapperTool {
  readonly server: string;
  /** The tool's name on the wire. */
  readonly tool: string;
  /** The folder of its server: `servers/<folder>` is the import. */
  readonly folder: string;
  /** The exported function, a safe camelCase identifier, unique in its folder. */
  readonly functionName: string;
  /** One line, for descriptions: `listIssues(input: { repo: string; state?: "open" | "closed" }): Promise<unknown>`. */
  readonly signature: string;
  /** The same with the type that was learned from answers, for a tool that declares none. Changes as more is learned. */
  readonly learnedSignature?: string;
  /** The first line of the tool's description, or its title, or "". */
  readonly summary: string;
}

/** All generated wrappers of one catalog. The same catalog gives the same set, byte for byte. */
export interface WrapperSet {
  /** Blake3 of all files, in hexadecimal. */
  readonly hash: string;
  /** Path under `generated/`, with forward slashes (`github/listIssues.ts`, `github/index.ts`, `manifest.json`), to text. */
  readonly files: ReadonlyMap<string, string>;
  /** Sorted by server, then function name. */
  readonly tools: readonly WrapperTool[];
  /** What the set was generated from. */
  readonly catalog?: Catalog;
  /** The same set without what was learned: it does not change while the catalog does not. Absent when nothing was learned. */
  readonly declared?: WrapperSet;
}
