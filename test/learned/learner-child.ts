// Learns one property after the other in the file of the first argument, under names that begin with the second.
import { setTimeout as sleep } from 'node:timers/promises';
import { createLearner } from '../../src/learned/learner.ts';

const [, , file, start] = process.argv;
const learner = createLearner({
  file,
  log: { warn: (_fields, message) => void process.stderr.write(message) },
  settleMs: 0,
  betweenChangesMs: 0,
});
for (let at = 0; at < 8; at++) {
  learner.note('s', 'shared', JSON.stringify({ [`${start}${String.fromCharCode(97 + at)}`]: 1 }));
  learner.note('s', `${start}${at}`, '"text"');
  await sleep(3);
}
learner.close();
