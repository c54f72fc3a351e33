import { openReplaceable, removeDatabase, type StoreLog } from '../store/replaceable-database.ts';
import { LEARNED_BOUNDS, LEARNED_TIMES } from './bounds.ts';
import { toLearnedSchema, type JsonSchema } from './learned-schema.ts';
import { LearnedStore, MIGRATIONS, type LearnedTool } from './learned-store.ts';
import { isSameShape, mergeShapes, NOTHING, type Shape } from './shape.ts';
import { shapeOfText } from './shape-of.ts';

export interface LearnerOptions {
  /** Path of the database. Default: in memory, gone when the process ends. */
  readonly file?: string | undefined;
  readonly log: StoreLog;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Milliseconds; see {@link LEARNED_TIMES}. */
  readonly settleMs?: number;
  readonly betweenChangesMs?: number;
}

/** Learns the shapes of answers whose tools declare none. Shapes only: no value of an answer is kept anywhere. */
export interface Learner {
  /** Takes note of a successful answer. Costs next to nothing: few are looked at, and later. @param value JSON text */
  note(server: string, tool: string, value: string): void;
  /** What is known of a tool's answers; undefined while that is nothing. The same object while nothing new is known. */
  learnedSchema(server: string, tool: string): JsonSchema | undefined;
  /** Tells, now and then, that schemas have changed. Returns what stops it. */
  onChange(listener: () => void): () => void;
  /** Stores what was noted. */
  close(): void;
}

/** Forgets all that was learned, because the operator does not want it. Never throws. */
export function forgetLearned(file: string, log: StoreLog): void {
  try {
    removeDatabase(file);
  } catch (error) {
    log.warn({ err: error, file }, 'What was learned about results cannot be removed');
  }
}

/** Never throws because of the file: what cannot be kept is learned again. */
export function createLearner(options: LearnerOptions): Learner {
  return new StoredLearner(options);
}

interface ToolState {
  readonly server: string;
  readonly tool: string;
  answers: number;
  /** What the wrappers may be made from. */
  known: Shape;
  schema: JsonSchema | undefined;
  /** When it was last stored that the tool is in use. */
  notedAt: number;
}

class StoredLearner implements Learner {
  readonly #store: LearnedStore;
  readonly #options: Required<Pick<LearnerOptions, 'now' | 'settleMs' | 'betweenChangesMs' | 'log'>>;
  readonly #tools = new Map<string, ToolState>();
  readonly #waiting: { state: ToolState; value: string }[] = [];
  /** What was seen since it was last stored. */
  readonly #seen = new Map<ToolState, Shape>();
  readonly #listeners = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;
  #toldAt = -Infinity;
  #isClosed = false;

  constructor({ file, log, now = Date.now, settleMs, betweenChangesMs }: LearnerOptions) {
    const { settle, betweenChanges } = LEARNED_TIMES;
    this.#options = { log, now, settleMs: settleMs ?? settle, betweenChangesMs: betweenChangesMs ?? betweenChanges };
    this.#store = new LearnedStore(openReplaceable({ file, migrations: MIGRATIONS }, log), now);
    this.#guarded(() => this.#adopt(this.#store.load(), 0));
  }

  note(server: string, tool: string, value: string): void {
    const state = this.#stateOf(server, tool);
    const number = state.answers++;
    if (number >= LEARNED_BOUNDS.firstAnswers && number % LEARNED_BOUNDS.oneAnswerOf !== 0) return;
    if (this.#isClosed || value.length > LEARNED_BOUNDS.answerText || this.#waiting.length >= LEARNED_BOUNDS.waiting) return;
    if (this.#waiting.push({ state, value }) === 1) setImmediate(() => this.#lookAtNext());
  }

  learnedSchema(server: string, tool: string): JsonSchema | undefined {
    return this.#tools.get(keyOf(server, tool))?.schema;
  }

  onChange(listener: () => void): () => void {
    const own = (): void => listener();
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#listeners.clear();
    while (this.#waiting.length > 0) this.#guarded(() => this.#lookAt());
    this.#guarded(() => this.#storeSeen());
    this.#guarded(() => this.#store.close());
  }

  #stateOf(server: string, tool: string): ToolState {
    const key = keyOf(server, tool);
    const known = this.#tools.get(key);
    if (known !== undefined) return known;
    const state: ToolState = { server, tool, answers: 0, known: NOTHING, schema: undefined, notedAt: 0 };
    this.#tools.set(key, state);
    const [oldest] = this.#tools.keys();
    if (this.#tools.size > LEARNED_BOUNDS.tools && oldest !== undefined) this.#tools.delete(oldest);
    return state;
  }

  /** One at a time: between two, calls get their turn. */
  #lookAtNext(): void {
    if (this.#isClosed) return;
    this.#guarded(() => this.#lookAt());
    if (this.#waiting.length > 0) setImmediate(() => this.#lookAtNext());
  }

  #lookAt(): void {
    const next = this.#waiting.shift();
    const shape = next && shapeOfText(next.value);
    if (next === undefined || shape === undefined) return;
    const { state } = next;
    const seen = mergeShapes(this.#seen.get(state) ?? NOTHING, shape);
    this.#seen.set(state, seen);
    const isKnown = isSameShape(mergeShapes(state.known, seen), state.known);
    if (!isKnown || this.#options.now() - state.notedAt >= LEARNED_TIMES.noteUseEvery) this.#schedule();
  }

  #schedule(): void {
    if (this.#isClosed) return;
    const { settleMs, betweenChangesMs } = this.#options;
    const wait = Math.max(settleMs, this.#toldAt + betweenChangesMs - performance.now());
    this.#timer ??= setTimeout(() => this.#flush(), wait).unref();
  }

  #flush(): void {
    this.#timer = undefined;
    let isNew = false;
    this.#guarded(() => (isNew = this.#storeSeen()));
    if (!isNew) return;
    this.#toldAt = performance.now();
    for (const listener of this.#listeners) this.#guarded(listener);
  }

  /** True when schemas have changed. */
  #storeSeen(): boolean {
    if (this.#seen.size === 0) return false;
    const seen = [...this.#seen].map(([{ server, tool }, shape]) => ({ server, tool, shape }));
    this.#seen.clear();
    const isForeign = this.#store.hasChanged();
    const now = this.#options.now();
    const isNew = this.#adopt(this.#store.merge(seen), now);
    return (isForeign && this.#adopt(this.#store.load(), now)) || isNew;
  }

  /** True when schemas have changed. */
  #adopt(tools: readonly LearnedTool[], notedAt: number): boolean {
    let isNew = false;
    for (const { server, tool, shape } of tools) {
      const state = this.#stateOf(server, tool);
      state.notedAt = notedAt;
      if (isSameShape(state.known, shape)) continue;
      state.known = shape;
      const schema = toLearnedSchema(shape);
      if (JSON.stringify(schema) === JSON.stringify(state.schema)) continue;
      state.schema = schema;
      isNew = true;
    }
    return isNew;
  }

  /** What goes wrong with the file, or in a listener, is told to the operator and to nobody else. */
  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#options.log.warn({ err: error }, 'What is learned about results cannot be kept');
    }
  }
}

function keyOf(server: string, tool: string): string {
  return `${server}\n${tool}`;
}
