import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { heading, installed, say, startExample } from './server.ts';

/** A skill: a module that an agent saves, its operator approves, and later programs find and import. */

await using example = await startExample('Skill: code that an agent keeps for later', (folder) => ({
  mcpServers: { files: installed('filesystem', folder), memory: installed('memory') },
  skills: 'ask',
}));

heading('1. What is saved is checked first; an error has its place');
const sizes = (type: string): string => `
import { listDirectoryWithSizes } from "servers/files";

export interface Entry { name: string; bytes: number }

/** The files of a folder, the largest first. */
export async function largest(path: string, count = 3): Promise<Entry[]> {
  const { content } = await listDirectoryWithSizes({ path });
  const found = content.matchAll(/^\\[FILE\\] (\\S+)\\s+([\\d.]+) (\\w*B)$/gm);
  const all = [...found].map(([, name = "", size, unit]): Entry => ({ name, bytes: ${type} }));
  return all.sort((a, b) => b.bytes - a.bytes).slice(0, count);
}
`;
const description = 'Finds the largest files of a folder';
const wrong = await example.call('save_skill', { name: 'largest-files', description, code: sizes('size').trim() });
const right = sizes('Number(size) * (unit === "KB" ? 1024 : 1)');
await example.call('save_skill', { name: 'largest-files', description, code: right.trim() });

heading('2. The operator reads it and approves that version, beside the server that runs');
say(await operator('show', 'largest-files'));
say(await operator('approve', 'largest-files@1'));

heading('3. Another program finds it by what it does');
const found = await example.call('search_tools', { query: 'biggest files in a folder', server: 'skills' });

heading('4. And imports it, with its types');
const program = `
import { largest } from "skills/largest-files";

const [first] = await largest(input.folder);
return first?.name;
`;
const { result } = await example.execute(program, { input: { folder: example.folder } });
const mistake = await example.execute('import { largest } from "skills/largest-files";\n\nreturn largest(3);');

heading('5. What it throws is told with its own lines');
const thrown = await example.execute('import { largest } from "skills/largest-files";\n\nreturn largest("/nowhere");');

heading('6. The operator takes it away again');
say(await operator('remove', 'largest-files'));

const codeOf = (answer: Record<string, unknown>): unknown => (answer['error'] as { code?: string } | undefined)?.code;
const [hit] = found.content;
const isRight =
  wrong.isError === true &&
  hit?.type === 'text' &&
  hit.text.includes('skills/largest-files') &&
  typeof result === 'string' &&
  codeOf(mistake) === 'ERR_CHECK_TYPES' &&
  thrown['status'] === 'failed';
process.exitCode = isRight ? 0 : 1;

/** The command line, as its operator uses it. */
async function operator(...args: string[]): Promise<string> {
  const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
  say(`\n$ ampoule skills ${args.join(' ')}`);
  const config = join(example.folder, 'ampoule.json');
  const { stdout } = await promisify(execFile)(process.execPath, [main, 'skills', ...args, '--config', config]);
  return stdout;
}
