import { text } from 'node:stream/consumers';
import { spawnAmpoule } from '../e2e/harness.ts';

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Runs `ampoule` with arguments to its end. */
export async function cli(args: readonly string[], { stdin = '', env, cwd }: CliOptions = {}): Promise<CliResult> {
  const child = spawnAmpoule(args, env, cwd);
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  // A command that reads no input may be gone before it is written.
  child.stdin?.on('error', () => undefined).end(stdin);
  const [code, stdout, stderr] = await Promise.all([closed, text(child.stdout!), text(child.stderr!)]);
  return { code, stdout, stderr };
}
