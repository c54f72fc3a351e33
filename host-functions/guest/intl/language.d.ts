/** What the bundler puts in of the locales and time zones that the operator names: see `src/bundle/language/`. */
declare module 'ampoule:language' {
  export const DEFAULT_LOCALE: string;
  /** `tags` are all names under which the locale's data is found, its own first. */
  export const LOCALES: readonly { readonly tag: string; readonly tags: readonly string[] }[];
  /** JSON texts by kind and by the locale's tag. */
  export const TEXTS: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** For locales that write groups of three Latin digits: decimal sign, group sign, minus sign, and from how many digits before the first group on. */
  export const PLAIN_NUMBERS: Readonly<Record<string, readonly [decimal: string, group: string, minus: string, least: number] | undefined>>;
  export const PLURALS: Readonly<Record<string, object>>;
  /** JSON texts that all locales share. */
  export const NUMBERING_SYSTEMS: string;
  export const METAZONES: string;
  /** Lines of time zones, and of other names for them. */
  export const ZONES: string;
  export const ZONE_LINKS: string;
}

declare module 'ampoule:late-units' {
  export const UNITS: Readonly<Record<string, string>>;
}
