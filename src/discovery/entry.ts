import type { Catalog } from '../upstream/catalog.ts';
import type { WrapperSet } from '../wrappers/wrapper-set.ts';

/** How much is told of each hit: the import line, also what it does and its one-line signature, or all its types and documentation. */
export type SearchDetail = 'names' | 'summary' | 'full';

/** A checked call of `search_tools`. */
export interface SearchRequest {
  /** "" lists all of `server`. */
  readonly query: string;
  /** A server's name or folder, or "skills". */
  readonly server?: string;
  readonly detail: SearchDetail;
  /** Most hits of one answer. */
  readonly limit: number;
  /** Where an earlier answer ended. */
  readonly cursor?: string;
}

/** One function or skill. What is there beside `kind`, `name` and `import` depends on the detail. */
export interface SearchHit {
  readonly kind: 'tool' | 'skill';
  readonly name: string;
  /** Ready to paste. */
  readonly import: string;
  /** One line of TypeScript; the exports of a skill. */
  readonly signature?: string;
  /** One line. */
  readonly summary?: string;
  /** TypeScript without implementation: types, JSDoc and the function. */
  readonly types?: string;
  /** What should be known before it is used: that a skill's tools changed, what the operator's policies say of a tool. */
  readonly note?: string;
}

export interface SearchAnswer {
  /** How many there are on all pages. */
  readonly total: number;
  readonly hits: readonly SearchHit[];
  readonly nextCursor?: string;
  /** When there are no hits: what may have been meant. */
  readonly suggestions?: SearchSuggestions;
}

export interface SearchSuggestions {
  readonly words: readonly string[];
  readonly servers: readonly { readonly server: string; readonly tools: number }[];
  /** Hits of the same query without its `server`. */
  readonly elsewhere: number;
  /** Hits that the caller's grant does not have, where there are any. */
  readonly denied?: number;
}

/** A module that an agent saved, as far as a search needs it. */
export interface SkillEntry {
  readonly kind: 'skill';
  readonly name: string;
  readonly description: string;
  /** What it exports, one line of TypeScript for each. */
  readonly exports: readonly string[];
  readonly importLine: string;
  /** What `full` shows: its declarations, or its code. */
  readonly code: string;
  /** Such as "its tools changed". */
  readonly note?: string;
}

/** What there is to find at a moment. The same objects as long as nothing changed. */
export interface DiscoverySource {
  readonly wrappers: WrapperSet;
  readonly catalog: Catalog;
  readonly skills: readonly SkillEntry[];
}
