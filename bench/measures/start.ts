import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { measureStart } from '../over-http.ts';
import { patience, type Bench, type Part } from '../part.ts';
import { cacheFolder, configOf } from '../sandbox.ts';
import { sampleUntilSteady } from '../statistics.ts';
import { withControl } from './control.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const BOUND_MS = 60_000;
const BUDGET_MS = 10_000;

export const start: Part = {
  name: 'start',
  about: 'the server from its command to its ready line, with a built engine',
  async measure(bench) {
    await startOnce(bench);
    const { result, control } = await withControl(() =>
      sampleUntilSteady(async () => [await startOnce(bench)], patience(bench, BUDGET_MS)),
    );
    const { p50: value, p95, steady } = result;
    bench.step('with a server in the same process');
    const embedded = await measureStart(bench.quick ? 2 : 5, configOf(bench));
    return {
      rows: [
        { id: 'start', name: 'start until ready, no upstream servers', unit: 'ms', value, p95, steady, control },
        {
          id: 'start-embedded',
          name: 'start with an upstream server in the same process',
          unit: 'ms',
          value: embedded.p50,
          p95: embedded.p95,
        },
      ],
    };
  },
};

async function startOnce(bench: Bench): Promise<number> {
  await using folder = await cacheFolder(bench);
  const file = join(folder.path, 'ampoule.json');
  await writeFile(file, JSON.stringify({ ...configOf(bench), cacheDir: '.' }));
  const began = performance.now();
  const child = spawn(process.execPath, [MAIN, 'serve', '--config', file, '--http', '127.0.0.1:0'], {
    env: {},
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: BOUND_MS,
    killSignal: 'SIGKILL',
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.startsWith('ampoule ready ')) return performance.now() - began;
    }
    throw new Error('the server ended before it was ready');
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
}
