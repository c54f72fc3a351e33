import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../node_modules/@modelcontextprotocol/conformance/dist/index.js', import.meta.url));
const SUITE_BOUND_MS = 600_000;
/** For one scenario; those of a client all run at once, each in a process of its own. */
const SCENARIO_MS = 180_000;

/** The side of the protocol that is looked at. */
export type Side = 'server' | 'client';
export const REVISIONS = ['2025-11-25', '2026-07-28'] as const;
export type Revision = (typeof REVISIONS)[number];

/** A check of a scenario that did not hold. */
export interface Failure {
  readonly scenario: string;
  readonly check: string;
  readonly message: string;
}

/** Where results go, and what becomes of what everybody writes to standard error. */
export interface Output {
  readonly directory: string;
  readonly errors: 'ignore' | 'inherit';
}

/** How a scenario ended. */
export interface Ended {
  readonly scenario: string;
  readonly failures: readonly Failure[];
}

interface Check {
  readonly id: string;
  readonly status: string;
  readonly errorMessage?: string;
}

/** Runs all scenarios that a revision of the protocol demands of one side, with the suite's own command line. */
export async function runSuite(side: Side, revision: Revision, subject: string, output: Output): Promise<Ended[]> {
  const directory = join(output.directory, `${side}-${revision}`);
  const named = side === 'server' ? ['--url', subject] : ['--command', subject];
  const args = [CLI, side, ...named, '--requirements', revision, '--timeout', String(SCENARIO_MS), '--output-dir', directory];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', output.errors], timeout: SUITE_BOUND_MS });
  await once(child, 'exit');
  return readResults(side, directory);
}

/** Each scenario has a folder of its own, named by side, scenario and time. */
async function readResults(side: Side, directory: string): Promise<Ended[]> {
  const files = (await readdir(directory, { recursive: true })).filter((name) => name.endsWith('checks.json'));
  const ended = files.map(async (file) => {
    const scenario = file.replace(/-\d{4}-\d\d-\d\dT[^/]*\/checks\.json$/, '').replace(new RegExp(`^${side}-`), '');
    const checks = JSON.parse(await readFile(join(directory, file), 'utf8')) as Check[];
    const failed = checks.filter(({ status }) => status === 'FAILURE');
    return { scenario, failures: failed.map(({ id, errorMessage = 'failed' }) => ({ scenario, check: id, message: errorMessage })) };
  });
  return (await Promise.all(ended)).toSorted((a, b) => (a.scenario < b.scenario ? -1 : 1));
}
