/** A value of a large JSON text as far as it is looked at. Places are bytes of the text, the end is behind the last one. */
export type Outline = PlainOutline | TextOutline | ListOutline | RecordOutline;

interface Place {
  readonly start: number;
  end: number;
}

/** A number, true, false, null, or what stands in the place of something else. */
export interface PlainOutline extends Place {
  readonly kind: 'plain';
  readonly value: unknown;
}

/** A string; the place is that of its characters, without the quotes. */
export interface TextOutline extends Place {
  readonly kind: 'text';
  /** Characters as people count them, code points. */
  readonly characters: number;
}

export interface ListOutline extends Place {
  readonly kind: 'list';
  /** The first items. */
  readonly items: Outline[];
  /** How many there are. */
  total: number;
}

export interface RecordOutline extends Place {
  readonly kind: 'record';
  readonly members: { readonly key: string; value: Outline }[];
  total: number;
}

/** A JSON text seen whole once. */
export interface SeenJson {
  readonly root: Outline;
  /** Number and place of some items of the list that the text is, for pages of it. */
  readonly marks: readonly (readonly [number: number, at: number])[];
  readonly depth: number;
  readonly values: number;
}
