import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { heading, say, startExample } from './server.ts';

/** A session: state that outlives a run, shared by runs that go on at the same time, and what its operator sees of it. */

await using example = await startExample('Session: what a program remembers', () => ({}));

heading('1. Without a session nothing is kept, and the answer says so');
const note = (key: string, value: string): string => `
import { getState, setState } from "ampoule";

setState(${JSON.stringify(key)}, ${JSON.stringify(value)});
return Object.keys(getState());
`;
await example.execute(note('lost', 'nobody will see this'));

heading('2. "new" begins a session; its handle goes on with it');
const { session } = await example.execute(note('city', 'Aachen'), { session: 'new' });
await example.execute(note('country', 'Germany'), { session });

heading('3. Two runs at the same time that change different keys are merged');
const slowly = (key: string, value: string): string =>
  note(key, value).replace('return', 'await new Promise((done) => setTimeout(done, 500));\nreturn');
await Promise.all([example.execute(slowly('river', 'Wurm'), { session }), example.execute(slowly('food', 'Printen'), { session })]);

heading('4. Of two that set the same key, the later one is told');
const [first, second] = await Promise.all([
  example.execute(slowly('mood', 'sunny'), { session }),
  example.execute(slowly('mood', 'rainy'), { session }),
]);
const conflicts = [first, second].filter((answer) => answer['status'] === 'failed');

heading('5. A run that fails changes nothing');
await example.execute('import { setState } from "ampoule";\n\nsetState("city", "Atlantis");\nthrow new Error("sunk");', { session });
const { result } = await example.execute('import { getState } from "ampoule";\n\nreturn getState();', { session });

heading('6. What the operator sees, and ends');
const list = JSON.parse(await operator('list', '--json')) as { id: string; keys: number }[];
const id = list[0]?.id ?? '';
say(await operator('show', id));
say(await operator('end', id));
const ended = await example.execute('return 1;', { session });

const isRight =
  conflicts.length === 1 &&
  Object.keys(result ?? {}).length === 5 &&
  (ended['error'] as { code?: string } | undefined)?.code === 'ERR_SESSION_UNKNOWN';
process.exitCode = isRight ? 0 : 1;

/** The command line, as its operator uses it beside the server that runs. */
async function operator(...args: string[]): Promise<string> {
  const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
  say(`\n$ ampoule sessions ${args.join(' ')}`);
  const config = join(example.folder, 'ampoule.json');
  const { stdout } = await promisify(execFile)(process.execPath, [main, 'sessions', ...args, '--config', config]);
  return stdout;
}
