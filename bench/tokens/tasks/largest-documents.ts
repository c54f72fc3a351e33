import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Task } from '../task.ts';

const DOCUMENTS = Array.from({ length: 24 }, (_, at) => ({
  name: `chapter-${String(at).padStart(2, '0')}.md`,
  bytes: ((at * 7919) % 5000) + 200,
}));
const LARGEST = DOCUMENTS.toSorted((a, b) => b.bytes - a.bytes).slice(0, 5);

export const largestDocuments: Task = {
  name: 'largest documents',
  about: 'find 24 documents, look at each, give the five largest',
  async prepare(folder) {
    await mkdir(join(folder, 'docs'));
    for (const { name, bytes } of DOCUMENTS) await writeFile(join(folder, 'docs', name), 'x'.repeat(bytes));
  },
  async direct(call, folder) {
    await call('filesystem', 'search_files', { path: join(folder, 'docs'), pattern: '**/*.md' });
    for (const { name } of DOCUMENTS) await call('filesystem', 'get_file_info', { path: join(folder, 'docs', name) });
    return LARGEST.map(({ name, bytes }) => [name, bytes]);
  },
  searches: [{ query: 'search files, get file size', detail: 'full', limit: 3 }],
  code: `import * as filesystem from "servers/filesystem";

const { content } = await filesystem.searchFiles({ path: \`\${input}/docs\`, pattern: "**/*.md" });
const sizes = await Promise.all(
  content.split("\\n").map(async (path): Promise<[string, number]> => {
    const info = await filesystem.getFileInfo({ path });
    return [path.split("/").at(-1)!, Number(/size: (\\d+)/.exec(info.content)?.[1])];
  }),
);
return sizes.sort((a, b) => b[1] - a[1]).slice(0, 5);
`,
};
