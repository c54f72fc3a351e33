import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';

const CHUNK = 4 * 1024 * 1024;

/** Only root may look into the memory of any process. */
export const CAN_LOOK = process.getuid?.() === 0;

/** Which of some texts are anywhere in the memory of a process, in the encodings that V8 has for strings. */
export async function textsInMemory(pid: number, texts: readonly string[]): Promise<string[]> {
  const needles = texts.map((text) => ({ text, forms: [Buffer.from(text), Buffer.from(text, 'utf16le')] }));
  const overlap = Math.max(...needles.flatMap(({ forms }) => forms.map(({ length }) => length)));
  const found = new Set<string>();
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  const buffer = Buffer.alloc(CHUNK);
  try {
    for (const [from, to] of readableRegions(pid)) {
      for (let at = from; at < to; at += CHUNK - overlap) {
        const bytes = readAt(memory, buffer, at, Math.min(CHUNK, to - at));
        // Connections of this process are not left without an answer meanwhile.
        await nextTurn();
        for (const { text, forms } of needles) if (forms.some((form) => bytes.includes(form))) found.add(text);
      }
    }
  } finally {
    closeSync(memory);
  }
  return texts.filter((text) => found.has(text));
}

function readableRegions(pid: number): [from: number, to: number][] {
  const lines = readFileSync(`/proc/${pid}/maps`, 'utf8').matchAll(/^([\da-f]+)-([\da-f]+) r\S* .*$/gm);
  return [...lines]
    .filter(([line]) => !/\[v/.test(line))
    .map(([, from = '', to = '']) => [Number.parseInt(from, 16), Number.parseInt(to, 16)]);
}

/** Pages can go while they are read. */
function readAt(memory: number, buffer: Buffer, at: number, length: number): Buffer {
  try {
    return buffer.subarray(0, readSync(memory, buffer, 0, length, at));
  } catch {
    return buffer.subarray(0, 0);
  }
}
