import { writeSync } from 'node:fs';
import { OrphanWatch } from '../../src/check/orphan-watch.ts';
import { TypeServer, typescriptFolder } from '../../src/check/type-server.ts';

// A process that is killed as soon as its checker asks it for a file, and waits: `resilience.test.ts` looks whether the checker outlives it.
const die = (): never => {
  writeSync(1, `${server.pid}\n`);
  process.kill(process.pid, 'SIGKILL');
  throw new Error('killed');
};
const server = new TypeServer(typescriptFolder(), { readFile: die, fileExists: die, directoryExists: die }, new OrphanWatch());
await server.initialize();
await server.update({
  openProjects: ['/asked/tsconfig.json'],
  fileChanges: { created: ['/asked/tsconfig.json'], changed: [], deleted: [] },
});
