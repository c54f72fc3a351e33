import { readdirSync } from 'node:fs';
import { languageSchema } from '../../src/config/feature-schemas.ts';
import { openEngine } from '../../src/open-sandbox.ts';

/* A process of its own that builds an engine in a folder that has no room for it. Prints what came of it, and what is in the folder. */
const [, , folder = ''] = process.argv;
const steps: string[] = [];
const told = await openEngine({ engine: 'quickjs', language: languageSchema.parse({}) }, folder, {
  onBuild: (step) => steps.push(step),
}).then(
  () => 'built',
  ({ code }: { code?: string }) => code,
);
const left = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /engine.[0-9a-f]{32}/.test(name));
process.stdout.write(JSON.stringify({ told, last: steps.at(-1), left }));
