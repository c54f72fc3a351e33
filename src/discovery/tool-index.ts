import { setImmediate as nextTurn } from 'node:timers/promises';
import MiniSearch, { type SearchResult } from 'minisearch';
import { documentsOf, isSkill, type SearchDocument } from './documents.ts';
import type { DiscoverySource } from './entry.ts';
import { Vocabulary } from './vocabulary.ts';
import { bare, isVerb, queryWords, synonymsOf, wordsOf } from './words.ts';

/** Milliseconds of building after which other work gets its turn. */
const SLICE_MS = 3;
/** Words of a query that count, and of those the ones that may be misspelt: a look for near words takes a part of a millisecond each. */
const MAX_WORDS = 24;
const MAX_MISSPELT = 6;
const MAX_SUGGESTED = 5;

const BOOST = { name: 4, title: 2.5, server: 1.5, parameters: 1, text: 1, categories: 0.3 };
const FIELDS = ['name', 'title', 'text', 'parameters', 'server', 'categories'] as const;
const WEIGHTS = { prefix: 0.5, fuzzy: 0.35 };
const SYNONYM_BOOST = 0.25;
const VERB_BOOST = 0.6;
/** What has less than this part of the best score is no hit. */
const LEAST_SCORE = 0.03;

/** A full-text index (BM25+) of everything that programs can import. */
export interface ToolIndex {
  /** All that match, the best first. Only those for which `accepts`. */
  find(query: string, accepts: (document: SearchDocument) => boolean): SearchDocument[];
  /** All for which `accepts`, by name. */
  list(accepts: (document: SearchDocument) => boolean): SearchDocument[];
  /** Words of the index that are spelled like those of a query. */
  near(query: string): string[];
}

/** Builds the index of a source in slices: no request waits for more than one of them. */
export async function buildToolIndex(source: DiscoverySource): Promise<ToolIndex> {
  const documents: SearchDocument[] = [];
  const vocabulary = new Vocabulary();
  const search = new MiniSearch<SearchDocument>({
    fields: [...FIELDS],
    tokenize: wordsOf,
    processTerm: (term) => {
      vocabulary.add(term);
      return term;
    },
    autoVacuum: false,
  });
  let began = performance.now();
  for (const document of documentsOf(source)) {
    documents.push(document);
    search.add(document);
    if (performance.now() - began < SLICE_MS) continue;
    await nextTurn();
    began = performance.now();
  }
  return new MiniSearchIndex(search, documents, vocabulary);
}

class MiniSearchIndex implements ToolIndex {
  readonly #search: MiniSearch<SearchDocument>;
  readonly #documents: readonly SearchDocument[];
  readonly #vocabulary: Vocabulary;

  constructor(search: MiniSearch<SearchDocument>, documents: readonly SearchDocument[], vocabulary: Vocabulary) {
    this.#search = search;
    this.#documents = documents;
    this.#vocabulary = vocabulary;
  }

  find(query: string, accepts: (document: SearchDocument) => boolean): SearchDocument[] {
    const words = queryWords(query, MAX_WORDS);
    const wanted = bare(query);
    const scored: { document: SearchDocument; score: number; isNamed: boolean }[] = [];
    for (const result of this.#match(words)) {
      const document = this.#documents[Number(result.id)];
      if (document === undefined || !accepts(document)) continue;
      scored.push({ document, score: result.score * coverage(result, words), isNamed: isNamed(document, wanted) });
    }
    const least = LEAST_SCORE * scored.reduce((best, { score }) => Math.max(best, score), 0);
    return scored
      .filter(({ score }) => score >= least)
      .toSorted((a, b) => Number(b.isNamed) - Number(a.isNamed) || b.score - a.score || a.document.id - b.document.id)
      .map(({ document }) => document);
  }

  list(accepts: (document: SearchDocument) => boolean): SearchDocument[] {
    return this.#documents.filter(accepts);
  }

  near(query: string): string[] {
    const words = queryWords(query, MAX_MISSPELT);
    return [...new Set(words.flatMap((word) => this.#vocabulary.near(word)))].slice(0, MAX_SUGGESTED);
  }

  #match(words: readonly string[]): SearchResult[] {
    const misspelt = new Set(words.filter((word) => !this.#vocabulary.knows(word)).slice(0, MAX_MISSPELT));
    const options = { boost: BOOST, weights: WEIGHTS, processTerm: (term: string) => term, combineWith: 'OR' as const };
    const asked = {
      ...options,
      queries: [...words],
      tokenize: (text: string) => [text],
      prefix: (term: string) => term.length > 2,
      fuzzy: (term: string) => misspelt.has(term) && edits(term),
      boostTerm: (term: string) => (isVerb(term) ? VERB_BOOST : 1),
    };
    const alike = {
      ...options,
      queries: synonymsOf(words),
      tokenize: (text: string) => [text],
      prefix: false,
      fuzzy: false,
      boostTerm: () => SYNONYM_BOOST,
    };
    return this.#search.search({ ...options, queries: [asked, alike] });
  }
}

/** The part of the words that matched: what has all of them in its description is better than what has one in its name. */
function coverage({ queryTerms }: SearchResult, words: readonly string[]): number {
  return (words.filter((word) => queryTerms.includes(word)).length / words.length + SYNONYM_BOOST) ** 2;
}

/** How many letters may be wrong. */
function edits(word: string): number | false {
  if (word.length < 4) return false;
  return word.length < 6 ? 1 : 2;
}

function isNamed({ of }: SearchDocument, wanted: string): boolean {
  if (wanted === '') return false;
  if (isSkill(of)) return bare(of.name) === wanted;
  return [of.functionName, of.tool, of.server + of.tool, of.folder + of.functionName].some((name) => bare(name) === wanted);
}
