import type { Policies } from '../config/policy-schema.ts';
import type { CatalogTool } from '../upstream/catalog.ts';
import { compileAddress } from './address.ts';
import type { FingerprintMemory } from './fingerprints.ts';
import { ResultTaint } from './result-taint.ts';
import { createSchemaWords, type SchemaWords } from './schema-words.ts';
import { SeenValues } from './seen-values.ts';
import { SessionTaint } from './session-taint.ts';

const NO_WORDS: ReadonlySet<string> = new Set();
/** Fingerprints of all runs together: 512 MiB. */
const MAX_SLOTS = 64 * 1024 * 1024;

/** A rule that a call would break. */
export interface FlowFinding {
  readonly rule: string;
  readonly action: 'deny' | 'warn';
  readonly message: string;
}

/** The operator's data-flow rules. */
export interface DataFlow {
  begin(): RunFlow;
}

/** The rules in one run. */
export interface RunFlow {
  /** The state that the run begins with may hold what earlier runs got. */
  openSession(handle: string, state: string): void;
  /** The rules that a call with these arguments would break, one finding for each. */
  check(server: string, tool: CatalogTool, args: unknown): FlowFinding[];
  /** The rules for which answers of the tool have to be noted, as bits. */
  rulesFrom(server: string, tool: CatalogTool): number;
  /** Notes a value that an earlier run got, for the rules that it is a matter of. */
  noteValue(value: string | number, rules: number): void;
  /**
   * Notes an answer in steps, between which others may have their turn.
   * @param answer the value that the program gets, or what it gets to know of a failure
   */
  note(server: string, tool: CatalogTool, answer: unknown): Iterable<void>;
  /** A text that the run begins with may name kept results of earlier runs. */
  openText(text: string): void;
  /** Something is kept that the run has made, and that later runs can read. */
  keepResult(uri: string): void;
  /** To be called before the state is kept. */
  keepSession(handle: string, state: string): void;
  /** The run may have got anything from everywhere. */
  suspectAll(): void;
  /** Gives all memory back. */
  end(): void;
}

interface Rule {
  readonly index: number;
  readonly name: string;
  readonly action: 'deny' | 'warn';
  readonly minLength: number;
  readonly pieceLength: number;
  readonly sources: string;
  isFrom(server: string, tool: string): boolean;
  isTo(server: string, tool: string): boolean;
}

/** The rules on data between tools; undefined when there are none. */
export function createDataFlow(
  policies: Policies['dataFlow'],
  memory: FingerprintMemory = { slots: 0, maxSlots: MAX_SLOTS },
): DataFlow | undefined {
  if (policies.length === 0) return undefined;
  const rules = policies.map(compileRule);
  const words = createSchemaWords();
  const taint = new SessionTaint();
  const results = new ResultTaint();
  return { begin: () => createRunFlow(rules, { words, taint, results, memory }) };
}

function compileRule({ name, from, to, action, minLength, pieceLength }: Policies['dataFlow'][number], index: number): Rule {
  const [sources, targets] = [from.map(compileAddress), to.map(compileAddress)];
  return {
    index,
    name: name ?? `${from.join(', ')} to ${to.join(', ')}`,
    action,
    minLength,
    pieceLength,
    sources: from.join(', '),
    isFrom: (server, tool) => sources.some((address) => address.matches(server, tool)),
    isTo: (server, tool) => targets.some((address) => address.matches(server, tool)),
  };
}

/** What the runs of all principals share. */
interface Shared {
  readonly words: SchemaWords;
  readonly taint: SessionTaint;
  readonly results: ResultTaint;
  readonly memory: FingerprintMemory;
}

function createRunFlow(rules: readonly Rule[], { words, taint, results, memory }: Shared): RunFlow {
  const seen = rules.map(({ minLength, pieceLength }) => new SeenValues({ minLength, pieceLength, memory }));
  const seenOf = ({ index }: Rule): SeenValues => seen[index] as SeenValues; // one was made for each rule
  return {
    openSession: (handle, state) => taint.open(handle, state, seen),
    openText: (text) => {
      const found = results.rulesIn(text);
      seen.forEach((values, index) => found & (1 << index) && values.suspectAll());
    },
    keepResult: (uri) => {
      results.keep(
        uri,
        seen.reduce((found, values, index) => (values.isEmpty ? found : found | (1 << index)), 0),
      );
    },
    check: (server, tool, args) =>
      rules.flatMap((rule) => {
        const values = seenOf(rule);
        if (values.isEmpty || !rule.isTo(server, tool.name)) return [];
        const where = values.isFull ? undefined : values.find(args, words(tool.inputSchema));
        return values.isFull || where !== undefined ? [finding(rule, `${server}.${tool.name}`, where)] : [];
      }),
    rulesFrom: (server, tool) => rules.reduce((found, rule) => (rule.isFrom(server, tool.name) ? found | (1 << rule.index) : found), 0),
    noteValue: (value, marked) => seen.forEach((values, index) => marked & (1 << index) && values.note(value, NO_WORDS)),
    *note(server, tool, answer) {
      const vocabulary = words(tool.outputSchema);
      for (const rule of rules) if (rule.isFrom(server, tool.name)) yield* seenOf(rule).noteSteps(answer, vocabulary);
    },
    keepSession: (handle, state) => taint.keep(handle, state, seen),
    suspectAll: () => seen.forEach((values) => values.suspectAll()),
    end: () => seen.forEach((values) => values.release()),
  };
}

function finding({ name, action, sources }: Rule, tool: string, where: string | undefined): FlowFinding {
  const what =
    where === undefined
      ? `this run has got, or can read, more from ${sources} than can be followed, so nothing may be sent to ${tool}`
      : `${where === '$' ? 'the arguments hold' : `${where} in the arguments holds`} some of what ${sources} answered`;
  return { rule: name, action, message: `The rule ${JSON.stringify(name)} keeps data from ${tool}: ${what}.` };
}
