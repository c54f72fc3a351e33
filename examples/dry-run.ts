import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { heading, installed, say, startExample } from './server.ts';

/** A rehearsal: the program runs, what only reads is called, and what would change something is listed instead. */

await using example = await startExample('Dry run: what would this program do?', (folder) => ({
  mcpServers: {
    files: installed('filesystem', folder),
    notes: { ...installed('memory'), env: { MEMORY_FILE_PATH: join(folder, 'notes.jsonl') } },
  },
  policies: { servers: { files: { policy: 'allow' } } },
}));
const { folder } = example;
const program = `
import { createDirectory, getFileInfo, writeFile } from "servers/files";
import { createEntities } from "servers/notes";

await createDirectory({ path: input.folder + "/reports" });
const { content } = await writeFile({ path: input.folder + "/reports/march.txt", content: "All is well." });
const { entities } = await createEntities({ entities: [{ name: "March", entityType: "report", observations: ["All is well."] }] });
const info = await getFileInfo({ path: input.folder });
return { content, noted: entities.length, isFolder: info.content.includes("isDirectory: true") };
`;

heading('1. The rehearsal: the three calls that would change something are listed, the one that reads was made');
const rehearsal = await example.execute(program, { dryRun: true, input: { folder } });
say(`\nThe folder still has no reports: ${(await readdir(folder)).filter((name) => name === 'reports').length === 0}`);

heading('2. The same program for real');
const run = await example.execute(program, { input: { folder } });
say(`\nNow it has: ${(await readdir(folder)).includes('reports')}`);
process.exitCode = rehearsal['status'] === 'completed' && run['status'] === 'completed' ? 0 : 1;
