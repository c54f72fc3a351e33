import { openDiskCache } from '../../src/component/disk-cache.ts';
import { decodeProgram, encodeProgram } from '../../src/component/program-file.ts';

/*
 * A process of its own for the tests of the disk cache. Arguments: folder, bound in bytes, bytes of each program, number of programs.
 * Puts and gets programs whose bytes follow from their keys; prints what it saw as one line of JSON.
 */
const [directory = '', maxBytes, size, count] = process.argv.slice(2);
const messages: string[] = [];
const cache = await openDiskCache({ directory, maxBytes: Number(maxBytes), log: (message) => messages.push(message) });
let wrong = 0;
for (let round = 0; round < 3; round++) {
  for (let i = 0; i < Number(count); i++) {
    const key = (i * 7).toString(16).padStart(2, '0').repeat(32).slice(0, 64);
    const program = await cache.get(key);
    if (program === undefined) {
      await cache.put(key, encodeProgram(key, { pages: 4096, blocks: [{ offset: 0, bytes: new Uint8Array(Number(size)).fill(i) }] }));
    } else if (decodeProgram(program, key).blocks[0]?.bytes.every((byte) => byte === i) !== true) wrong++;
  }
}
process.stdout.write(JSON.stringify({ wrong, messages, ...cache.statistics }));
