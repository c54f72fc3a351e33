import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Task } from '../task.ts';

const SERVICES = ['checkout', 'gateway', 'mailer', 'search', 'billing'];
const ERRORS = ['connection reset by peer', 'deadline exceeded', 'no such customer', 'certificate has expired'];
const LINES = 120;

function logOf(service: string, seed: number): string {
  return Array.from({ length: LINES }, (_, at) => {
    const minute = String(Math.floor(at / 2)).padStart(2, '0');
    const stamp = `2026-11-20T09:${minute}:${at % 2 === 0 ? '07' : '41'}Z`;
    if ((at * 7 + seed) % 13 !== 0) return `${stamp} INFO ${service} request ${1000 + at} answered in ${(at * 17 + seed * 31) % 400} ms`;
    return `${stamp} ERROR ${service} request ${1000 + at} failed: ${ERRORS[(at + seed) % ERRORS.length]}`;
  }).join('\n');
}

/** Counts equal errors, most frequent first. */
function countErrors(text: string): [string, number][] {
  const counts = new Map<string, number>();
  for (const [, error = ''] of text.matchAll(/ERROR .* failed: (.*)/g)) counts.set(error, (counts.get(error) ?? 0) + 1);
  return [...counts].toSorted((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
}

export const errorReport: Task = {
  name: 'error report',
  about: 'read the logs of five services, count equal errors, write a report',
  async prepare(folder) {
    await mkdir(join(folder, 'logs'));
    for (const [at, service] of SERVICES.entries()) await writeFile(join(folder, 'logs', `${service}.log`), logOf(service, at));
  },
  async direct(call, folder) {
    await call('filesystem', 'list_directory', { path: join(folder, 'logs') });
    const texts = [];
    for (const service of SERVICES) {
      texts.push(await call('filesystem', 'read_text_file', { path: join(folder, 'logs', `${service}.log`) }));
    }
    const counts = countErrors(texts.map((text) => JSON.stringify(text).replaceAll(String.raw`\n`, '\n')).join('\n'));
    const report = counts.map(([error, times]) => `- ${error}: ${times}`).join('\n');
    await call('filesystem', 'write_file', { path: join(folder, 'report.md'), content: `# Errors\n\n${report}\n` });
    return counts;
  },
  searches: [{ query: 'list directory, read and write files', detail: 'full', limit: 4 }],
  code: `import * as filesystem from "servers/filesystem";

const { content: listing } = await filesystem.listDirectory({ path: \`\${input}/logs\` });
const files = listing.split("\\n").map((line) => line.replace("[FILE] ", ""));
const logs = await Promise.all(files.map((name) => filesystem.readTextFile({ path: \`\${input}/logs/\${name}\` })));
const counts = new Map<string, number>();
for (const { content } of logs) {
  for (const [, error] of content.matchAll(/ERROR .* failed: (.*)/g)) counts.set(error, (counts.get(error) ?? 0) + 1);
}
const sorted = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
const report = sorted.map(([error, times]) => \`- \${error}: \${times}\`).join("\\n");
await filesystem.writeFile({ path: \`\${input}/report.md\`, content: \`# Errors\\n\\n\${report}\\n\` });
return sorted;
`,
};
