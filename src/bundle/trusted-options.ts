/** How files of our own are bundled. */
export interface TrustedOptions {
  /** What stays an import. */
  readonly external?: readonly string[];
  /** For an engine that brings no platform, neither a browser's nor Node's, and keeps the text of functions: made as short as can be. */
  readonly bare?: boolean;
  /** Other modules in the place of some, by the name that is imported. */
  readonly alias?: Readonly<Record<string, string>>;
  /** Modules that are made, by the name that is imported. */
  readonly made?: Readonly<Record<string, () => Promise<string>>>;
  /** Changes the text of some files on their way in. */
  readonly rewrite?: { readonly files: RegExp; readonly text: (path: string, text: string) => Promise<string> };
  /** A script in one line in the place of a module. */
  readonly oneLine?: boolean;
}
