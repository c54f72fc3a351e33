import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ServerFolder } from '../server.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;
const PATIENCE_MS = 60_000;

/** Runs a command of the operator's. @returns what it printed @throws Error when it fails */
export async function runCommand(folder: ServerFolder, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, ...args, '--config', join(folder.path, 'ampoule.json')], {
    cwd: folder.path,
    env: { PATH: process.env['PATH'] ?? '', TMPDIR: folder.temporary },
    maxBuffer: MAX_OUTPUT_BYTES,
    timeout: PATIENCE_MS,
  });
  return stdout;
}
