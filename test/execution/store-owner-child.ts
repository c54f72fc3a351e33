import { createInterface } from 'node:readline';
import { openExecutions } from '../../src/execution/store/sqlite-executions.ts';
import { COMPLETED, LIMITS, newExecution, sentCall, waitOf } from './stored-executions.ts';

/*
 * A gateway's store in a process of its own. Arguments: the file and the group. Reads commands, one a line, and answers each with a line of JSON;
 * what it hears of others is a line too.
 */
const [, , file = '', group = ''] = process.argv;
const store = openExecutions({ file, group, limits: LIMITS });
store.onCancelRequest((id) => tell({ cancel: id }));
store.onDecision(({ id, decision }) => tell({ decided: id, granted: decision?.granted }));
tell({ ready: true });
for await (const line of createInterface({ input: process.stdin })) {
  const [command, ...ids] = line.split(' ');
  try {
    tell({ [String(command)]: await run(String(command), ids) });
  } catch (error) {
    tell({ error: (error as { code?: string }).code });
  }
}
await store.close();

async function run(command: string, ids: readonly string[]): Promise<unknown> {
  switch (command) {
    case 'create':
      return Promise.all(ids.map((id, index) => store.create(newExecution(id, { createdAt: 1_000 + index }))));
    case 'call':
      return store.call(String(ids[0]), sentCall(1));
    case 'hibernate':
      return store.hibernated(String(ids[0]), waitOf(), new Uint8Array(1_000));
    case 'end':
      return store.ended(String(ids[0]), COMPLETED);
    case 'claim':
      return store.claim();
    case 'decide':
      return (await store.decide(String(ids[0]), { granted: true, by: 'operator', at: 1 }))?.decision?.granted;
    default:
      throw new Error(`no such command: ${command}`);
  }
}

function tell(what: object): void {
  process.stdout.write(`${JSON.stringify(what)}\n`);
}
