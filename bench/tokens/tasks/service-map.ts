import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Task } from '../task.ts';

const SERVICES = Array.from({ length: 25 }, (_, at) => ({
  name: `service-${String(at).padStart(2, '0')}`,
  team: ['payments', 'search', 'platform'][at % 3] ?? '',
  language: ['Go', 'TypeScript'][at % 2] ?? '',
  dependsOn: at === 0 ? [] : [`service-${String(((at * 11) % 7) % at).padStart(2, '0')}`],
}));

interface Relation {
  from: string;
  to: string;
  relationType: string;
}

const entities = SERVICES.map(({ name, team, language }) => ({
  name,
  entityType: 'service',
  observations: [`owned by ${team}`, `written in ${language}`],
}));
const relations = SERVICES.flatMap(({ name, dependsOn }) =>
  dependsOn.map((to): Relation => ({ from: name, to, relationType: 'depends on' })),
);

/** The services on which most others depend. */
function busiest(all: readonly Relation[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const { to } of all) counts.set(to, (counts.get(to) ?? 0) + 1);
  return [...counts].toSorted((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, 3);
}

export const serviceMap: Task = {
  name: 'service map',
  about: 'put 25 services of a file into the knowledge graph, give those that most others depend on',
  prepare: (folder) => writeFile(join(folder, 'services.json'), JSON.stringify(SERVICES, null, 2)),
  async direct(call, folder) {
    await call('filesystem', 'read_text_file', { path: join(folder, 'services.json') });
    await call('memory', 'create_entities', { entities });
    await call('memory', 'create_relations', { relations });
    await call('memory', 'read_graph', {});
    return busiest(relations);
  },
  searches: [
    { query: 'create entities and relations, read the knowledge graph', detail: 'full', limit: 3 },
    { query: 'read text file', detail: 'full', limit: 1 },
  ],
  code: `import * as memory from "servers/memory";
import { readTextFile } from "servers/filesystem";

interface Service { name: string; team: string; language: string; dependsOn: string[] }
const { content } = await readTextFile({ path: \`\${input}/services.json\` });
const services: Service[] = JSON.parse(content);
await memory.createEntities({
  entities: services.map(({ name, team, language }) => ({
    name, entityType: "service", observations: [\`owned by \${team}\`, \`written in \${language}\`],
  })),
});
await memory.createRelations({
  relations: services.flatMap(({ name, dependsOn }) => dependsOn.map((to) => ({ from: name, to, relationType: "depends on" }))),
});
const { relations } = await memory.readGraph();
const counts = new Map<string, number>();
for (const { to } of relations) counts.set(to, (counts.get(to) ?? 0) + 1);
return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, 3);
`,
};
