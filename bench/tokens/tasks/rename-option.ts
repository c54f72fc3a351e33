import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Task } from '../task.ts';

const FILES = Array.from({ length: 10 }, (_, at) => `app-${at}.yaml`);
const OLD = 'request_timeout:';
const NEW = 'request_timeout_ms:';

function configOf(at: number): string {
  const lines = Array.from({ length: 40 }, (_, line) => `setting_${line}: ${(line * 31 + at) % 97} # kept since the first release`);
  if (at % 2 === 0) lines[12] = `${OLD} ${at + 5}000`;
  return `${lines.join('\n')}\n`;
}

export const renameOption: Task = {
  name: 'rename an option',
  about: 'read ten config files, rename an option in those that have it, say which',
  async prepare(folder) {
    await mkdir(join(folder, 'config'));
    for (const [at, name] of FILES.entries()) await writeFile(join(folder, 'config', name), configOf(at));
  },
  async direct(call, folder) {
    await call('filesystem', 'search_files', { path: join(folder, 'config'), pattern: '*.yaml' });
    const changed: string[] = [];
    for (const name of FILES) {
      const path = join(folder, 'config', name);
      await call('filesystem', 'read_text_file', { path });
      if (!(await readFile(path, 'utf8')).includes(OLD)) continue;
      await call('filesystem', 'edit_file', { path, edits: [{ oldText: OLD, newText: NEW }] });
      changed.push(name);
    }
    return changed;
  },
  searches: [{ query: 'search files, read text, edit file', detail: 'full', limit: 3 }],
  code: `import * as filesystem from "servers/filesystem";

const found = await filesystem.searchFiles({ path: \`\${input}/config\`, pattern: "*.yaml" });
const changed: string[] = [];
await Promise.all(
  found.content.split("\\n").map(async (path) => {
    const { content } = await filesystem.readTextFile({ path });
    if (!content.includes("${OLD}")) return;
    await filesystem.editFile({ path, edits: [{ oldText: "${OLD}", newText: "${NEW}" }] });
    changed.push(path.split("/").at(-1)!);
  }),
);
return changed.sort();
`,
};
