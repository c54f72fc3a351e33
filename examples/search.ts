import { heading, installed, say, startExample } from './server.ts';

/** Finding tools: a model searches, reads the types of what it found, and uses them, without a list of all tools. */

await using example = await startExample('Search: the right tool without reading all of them', (folder) => ({
  mcpServers: {
    everything: installed('everything', 'stdio'),
    files: installed('filesystem', folder),
    memory: { ...installed('memory'), env: { MEMORY_FILE_PATH: `${folder}/memory.jsonl` } },
  },
}));

heading('1. What is there for notes about people?');
await example.call('search_tools', { query: 'remember facts about a person', limit: 3 });

heading('2. The types of the best one');
await example.call('search_tools', { query: 'create entities', detail: 'full', limit: 1 });

heading('3. The same text is a resource, for clients that show resources to their users');
const { contents } = await example.client.readResource({ uri: 'ampoule://servers/memory/createEntities.ts' });
say(`${JSON.stringify(contents[0]).slice(0, 200)} …`);

heading('4. The program');
const answer = await example.execute(`
import { createEntities } from "servers/memory";

const { entities } = await createEntities({
  entities: [{ name: "Ada", entityType: "person", observations: ["likes engines"] }],
});
return entities.length;
`);
process.exitCode = answer['status'] === 'completed' ? 0 : 1;
