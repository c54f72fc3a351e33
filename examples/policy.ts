import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { heading, installed, say, startExample } from './server.ts';

/** Policies: what a program may do with tools is decided call by call, outside of the sandbox. */

let answers = ['yes', 'no'];

await using example = await startExample(
  'Policies: each single call is judged',
  (folder) => ({
    mcpServers: {
      files: installed('filesystem', folder),
      notes: { ...installed('memory'), env: { MEMORY_FILE_PATH: join(folder, 'notes.jsonl') } },
      web: installed('everything', 'stdio'),
    },
    policies: {
      servers: {
        web: { tools: { 'toggle*': { policy: 'deny' }, echo: { maxCalls: 2 } } },
        // It says of itself that it is destructive, so a person is asked: that is the default and needs no policy.
        files: { tools: { write_file: { policy: 'ask' } } },
      },
      dataFlow: [{ name: 'files stay here', from: ['files.*'], to: ['web.*'] }],
      personalData: { servers: ['notes'] },
    },
  }),
  (client) => {
    // A client of 2026-07-28 answers questions between two requests; here a person is played by a list.
    client.registerCapabilities({ elicitation: {} });
    client.setRequestHandler('elicitation/create', async ({ params }) => {
      const [answer = 'no', ...rest] = answers;
      answers = rest;
      say(`\n? ${params.message.replaceAll('\n', '\n? ')}\n? → ${answer}`);
      return answer === 'yes' ? { action: 'accept', content: { approve: true } } : { action: 'decline' };
    });
  },
);
const { folder } = example;
await mkdir(join(folder, 'cases'), { recursive: true });
await writeFile(join(folder, 'cases', 'case.txt'), 'The settlement is 4,200,000 and will be signed on 12 March.');

heading('1. Denied, and a budget that calls made together do not get past');
const first = await example.execute(`
import { echo, toggleSimulatedLogging } from "servers/web";

const denied = await toggleSimulatedLogging({}).catch((error) => error.code);
const all = await Promise.allSettled([1, 2, 3, 4].map((n) => echo({ message: "number " + n })));
return { denied, echoes: all.map((one) => (one.status === "fulfilled" ? "sent" : one.reason.code)) };
`);

heading('2. A person is asked: yes to the first, no to the second');
const second = await example.execute(
  `
import { writeFile } from "servers/files";

const write = (name: string) => writeFile({ path: input.folder + "/" + name, content: "written" }).then(() => "written", (error) => error.code);
return [await write("one.txt"), await write("two.txt")];
`,
  { input: { folder } },
);
say(`one.txt holds: ${await readFile(join(folder, 'one.txt'), 'utf8').catch(() => 'nothing, it is not there')}`);

heading('3. What came from the files does not leave by the web');
const third = await example.execute(
  `
import { readTextFile } from "servers/files";
import { echo } from "servers/web";

const { content } = await readTextFile({ path: input.folder + "/cases/case.txt" });
const leak = await echo({ message: "fyi: " + content.slice(4, 40) }).catch((error) => error.message);
return { leak, fine: await echo({ message: "I have read " + content.length + " characters" }) };
`,
  { input: { folder } },
);

heading('4. The model sees tokens, the program moves real values');
const fourth = await example.execute(`
import { createEntities, openNodes } from "servers/notes";
import { echo } from "servers/web";

await createEntities({ entities: [{ name: "Ada", entityType: "person", observations: ["ada@example.org"] }] });
const { entities } = await openNodes({ names: ["Ada"] });
const address = String(entities[0]?.observations[0]);
return { address, length: address.length, echoed: await echo({ message: "to " + address }) };
`);

const ends = [first, second, third, fourth].map(({ status }) => status);
process.exitCode = ends.every((status) => status === 'completed') ? 0 : 1;
