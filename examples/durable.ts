import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { heading, installed, say, startExample } from './server.ts';

/** Durable executions: a run waits for a person's approval, its server crashes meanwhile, and it completes. */

await using example = await startExample('Durable executions: a run that waits survives the end of its server', (folder) => ({
  cacheDir: join(folder, 'cache'),
  mcpServers: { files: installed('filesystem', folder) },
  policies: { servers: { files: { tools: { write_file: { policy: 'ask' } } } } },
}));
const { folder } = example;
await writeFile(join(folder, 'orders.csv'), 'Ada,120\nGrace,80\nAda,60\n');

heading('1. An agent sends a program; one of its calls needs a person');
const begun = await example.execute(
  `
import { readTextFile, writeFile } from "servers/files";

const { content } = await readTextFile({ path: input.folder + "/orders.csv" });
const totals = new Map<string, number>();
for (const line of content.trim().split("\\n")) {
  const [name = "", amount = "0"] = line.split(",");
  totals.set(name, (totals.get(name) ?? 0) + Number(amount));
}
const began = Date.now();
// Nothing special here: it waits inside of Promise.all, with a Map and a closure in its memory.
const [written, size] = await Promise.all([
  writeFile({ path: input.folder + "/totals.json", content: JSON.stringify([...totals]) }).then(() => "written"),
  new Promise<number>((resolve) => setTimeout(() => resolve(totals.size), 1000)),
]);
return { written, size, totals: Object.fromEntries(totals), waitedMs: Date.now() - began };
`,
  { input: { folder }, wait: 'return-when-waiting' },
);

heading('2. The server crashes, and is started again');
await example.crash();
say('The program, what it had been answered and the open question were on disk; its memory too, had it waited two seconds longer.');

heading('3. The operator looks at what is open, and says yes');
const open = JSON.parse(await example.operate('approvals', 'list', '--json')) as { id: string }[];
await example.operate('approvals', 'show', open[0]?.id ?? '');
await example.operate('approvals', 'approve', open[0]?.id ?? '');

heading('4. The agent asks how its run ended');
const { structuredContent } = await example.call('wait_execution', { executionId: begun['executionId'], timeoutMs: 30_000 });
say(`totals.json holds: ${await readFile(join(folder, 'totals.json'), 'utf8').catch(() => 'nothing, it is not there')}`);

heading('5. And its story can be told, and the run be done again without the server');
await example.operate('executions', 'show', String(begun['executionId']));
await example.operate('replay', String(begun['executionId']));
process.exitCode = (structuredContent as { status?: string }).status === 'completed' ? 0 : 1;
