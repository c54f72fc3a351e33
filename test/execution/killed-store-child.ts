import { writeSync } from 'node:fs';
import { openExecutions } from '../../src/execution/store/sqlite-executions.ts';
import { randomFrom } from '../../reliability/random.ts';
import { answerTo, imageOf } from './killed-store-work.ts';
import { COMPLETED, LIMITS, newExecution, sentCall, START, waitOf } from './stored-executions.ts';

/* Writes about executions of its own until it is killed, and says what was acknowledged. Arguments: the file, and its name. */
const [, , file = '', name = ''] = process.argv;
const store = openExecutions({ file, group: 'test', limits: LIMITS });
const STDOUT = 1;
const draw = randomFrom(name);
for (let round = 0; ; round++) await Promise.all([0, 1, 2].map((number) => live(`${name}-${round}-${number}`)));

async function live(id: string): Promise<void> {
  const created = store.create(newExecution(id));
  const started = store.start(id, START);
  // A run does not wait for either: its first call does.
  if (draw.below(2) === 0) await created.then(() => say(id, 'create')).then(() => started);
  let hibernations = 0;
  const steps = 1 + draw.below(6);
  for (let number = 1; number <= steps; number++) {
    store.history(id, { steps: [[number]], files: [] });
    await store.call(id, sentCall(number));
    say(id, 'call');
    const written = store.answered(id, sentCall(number), answerTo(number, draw.below(8) === 0));
    if (draw.below(3) === 0) {
      await store.hibernated(id, waitOf({ pending: [], lastCall: number }), imageOf(++hibernations));
      say(id, 'hibernated');
      store.status(id, 'running');
    }
    await written;
    say(id, 'answered');
    if (draw.below(8) === 0) {
      await store.restarted(id);
      say(id, 'restarted');
    }
  }
  if (draw.below(4) === 0) return;
  await store.ended(id, COMPLETED);
  say(id, 'ended');
}

function say(id: string, what: string): void {
  for (let isSaid = false; !isSaid;) {
    try {
      isSaid = writeSync(STDOUT, `${id} ${what}.\n`) > 0;
    } catch (error) {
      // Whoever listens is slow: the pipe is full.
      if ((error as { code?: string }).code !== 'EAGAIN') throw error;
    }
  }
}
