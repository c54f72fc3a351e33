import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ExecutionStore } from '../../src/execution/execution-store.ts';
import type { ToolAnswer } from '../../src/execute/run.ts';
import { answerTo, begin, memoryStore, openRuns, resultOf, type Begun, type BeginOptions, type OpenedRuns } from './carried.ts';
import type { Play } from './played-executor.ts';

let store: ExecutionStore;
beforeAll(() => {
  store = memoryStore();
});
afterAll(() => store.close());

/** What happens, one after the other, each some turns of the event loop after the one before. */
type Move = 'answer' | 'answer last' | 'lose' | 'restart' | 'turn' | 'millisecond' | 'cancel';

const scene = fc.oneof(
  fc.record({ call: fc.array(fc.constantFrom('one', 'two', 'three'), { minLength: 1, maxLength: 4 }) }),
  fc.record({ sleep: fc.integer({ min: 0, max: 4 }) }),
);
const moves = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom<Move[]>('answer', 'answer last', 'turn', 'millisecond') },
    { weight: 2, arbitrary: fc.constantFrom<Move[]>('lose', 'restart') },
  ),
  { maxLength: 40 },
);

/** Tools whose answers are moves, and the counts of what was made and sent. */
class Table {
  readonly sent = new Map<number, number>();
  readonly waiting: (() => void)[] = [];
  readonly isRepeatable = new Set<number>();

  onCall: NonNullable<BeginOptions['onCall']> = (journal) => async (call, signal) => {
    const isRepeatable = call.number % 2 === 0;
    await journal.sending(call.number, isRepeatable);
    if (isRepeatable) this.isRepeatable.add(call.number);
    this.sent.set(call.number, (this.sent.get(call.number) ?? 0) + 1);
    if (signal.aborted) throw new Error('the run is over');
    return new Promise<ToolAnswer>((resolve) => this.waiting.push(() => resolve(answerTo(call))));
  };
}

class Game {
  readonly #play: Play;
  readonly #table = new Table();
  #all: OpenedRuns = openRuns({ store });
  #run: Begun | undefined;
  /** Losses that nothing came of in between. */
  #losses = 0;
  isCancelled = false;

  constructor(play: Play) {
    this.#play = play;
  }

  async begin(afterMs: number): Promise<void> {
    this.#run = await begin(this.#all, this.#play, {
      onCall: this.#table.onCall,
      request: { hibernation: { afterMs, maxImageBytes: 1e6 } },
    });
  }

  get run(): Begun {
    if (!this.#run) throw new Error('it has not begun');
    return this.#run;
  }

  async move(move: Move): Promise<void> {
    if (move === 'answer') this.#table.waiting.shift()?.();
    if (move === 'answer last') this.#table.waiting.pop()?.();
    // So many would end it rightly.
    if (move === 'lose' && ++this.#losses <= 3) this.#all.executor.lose();
    if (move === 'millisecond') await new Promise((resolve) => setTimeout(resolve, 1));
    if (move === 'restart' && ++this.#losses <= 3) await this.#restart();
    if (move === 'cancel') this.run.controller.abort();
    await new Promise((resolve) => setImmediate(resolve));
  }

  async #restart(): Promise<void> {
    const { id } = this.run;
    this.#all.runs.leave();
    const isOver = await this.run.outcome.then(
      () => true,
      () => false,
    );
    if (isOver) return;
    this.#table.waiting.splice(0);
    this.#all = openRuns({ store });
    const stored = await store.read(id);
    this.#run = await begin(this.#all, this.#play, { id, onCall: this.#table.onCall, run: { stored } });
  }

  /** Answers whatever comes until the run has ended. */
  async end(): Promise<Begun> {
    const ended = { is: false };
    const end = (): boolean => (ended.is = true);
    this.run.outcome.then(end, end);
    while (!ended.is) await this.move('answer');
    this.#all.runs.leave();
    return this.run;
  }

  /** How often each call was sent, and whether it may be sent twice. */
  get sent(): readonly (readonly [times: number, isRepeatable: boolean])[] {
    return [...this.#table.sent].map(([number, times]) => [times, this.#table.isRepeatable.has(number)]);
  }

  get inExecutor(): number {
    return this.#all.executor.size;
  }

  get waiting(): number {
    return this.#all.runs.waiting;
  }
}

/** The answers by call, which are the same whatever happens, but for calls that a restart interrupted. */
function expected(play: Play): string[] {
  return play.flatMap((one) => ('call' in one ? one.call : [])).map((tool, index) => `${tool} ${index + 1}`);
}

test('whatever happens to processes, each call is made once, each answer delivered once, and there is one outcome', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(scene, { minLength: 1, maxLength: 5 }),
      fc.constantFrom(0, 1, 3, 60_000),
      moves,
      async (play, afterMs, sequence) => {
        const game = new Game(play);
        await game.begin(afterMs);
        for (const move of sequence) await game.move(move);
        const result = (await resultOf(await game.end())) as string[];
        const restarts = sequence.filter((move) => move === 'restart').length;
        const isInterrupted = (value: string, index: number): boolean =>
          restarts > 0 && index % 2 === 0 && value === 'ERR_CALL_INTERRUPTED';
        expect(result.map((value, index) => (isInterrupted(value, index) ? expected(play)[index] : value))).toEqual(expected(play));
        for (const [times, isRepeatable] of game.sent) expect(times).toBeLessThanOrEqual(isRepeatable ? 1 + restarts : 1);
        expect([game.inExecutor, game.waiting]).toEqual([0, 0]);
      },
    ),
    { numRuns: 150 },
  );
});

test('a run that is cancelled at any moment has one outcome, and nothing of it goes on', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(scene, { minLength: 1, maxLength: 4 }),
      fc.constantFrom(0, 1, 60_000),
      moves,
      async (play, afterMs, sequence) => {
        const game = new Game(play);
        await game.begin(afterMs);
        for (const move of sequence) await game.move(move);
        await game.move('cancel');
        const { outcome } = await game.end();
        const { end } = await outcome;
        expect(end.status === 'completed' ? end.status : end.code).toMatch(/^(?:completed|ERR_EXECUTE_CANCELLED)$/);
        expect([game.inExecutor, game.waiting]).toEqual([0, 0]);
        const before = JSON.stringify(game.sent);
        for (let turn = 0; turn < 3; turn++) await game.move('millisecond');
        expect(JSON.stringify(game.sent)).toBe(before);
      },
    ),
    { numRuns: 60 },
  );
});
