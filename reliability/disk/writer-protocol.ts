/** The last number of a store that was acknowledged, and where it is. */
export interface Known {
  readonly number: number;
  readonly place: string;
}

/** What a writer says: that it has opened everything, that a number is stored, or what is wrong. */
export type WriterMessage = { readonly ready: true } | ({ readonly store: string } & Known) | { readonly fault: string };
