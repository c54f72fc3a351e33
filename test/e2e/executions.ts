import { readFileSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { ExecuteOutput } from '../../src/result/output-schema.ts';
import type { TestClient } from '../server/clients.ts';
import { answerOf, startAmpoule, temporary, type Ampoule, type StartOptions } from './harness.ts';
import { living, until } from './processes.ts';

/** Wide: it is only there so that a failing test ends. */
const END_MS = 40_000;

/** A folder that servers come and go in, with an upstream server whose answers are given by the test. */
export class Place implements AsyncDisposable {
  readonly directory: string;
  readonly gates: string;
  readonly #folder: AsyncDisposable;

  constructor(directory: string, gates: string, folder: AsyncDisposable) {
    [this.directory, this.gates, this.#folder] = [directory, gates, folder];
  }

  static async open(): Promise<Place> {
    const folder = await temporary();
    const gates = join(folder.path, 'gates');
    await mkdir(gates);
    writeFileSync(join(gates, 'calls.log'), '');
    return new Place(folder.path, gates, folder);
  }

  start(config: object = {}, options: StartOptions = {}): Promise<Ampoule> {
    const { mcpServers = {}, ...more } = config as { mcpServers?: object };
    const upstream = { command: process.execPath, args: [join(import.meta.dirname, '../fixtures/upstreams/gates.ts'), this.gates] };
    const servers = { gates: upstream, ...mcpServers };
    return startAmpoule({ check: 'off', mcpServers: servers, ...more }, { directory: this.directory, ...options });
  }

  /** Has the calls with this name answered. */
  open(name: string): void {
    writeFileSync(join(this.gates, name), '');
  }

  /** The calls that were sent, by the name in them. */
  sent(name: string): string[] {
    const lines = readFileSync(join(this.gates, 'calls.log'), 'utf8').split('\n');
    return lines.filter((line) => line.endsWith(` ${name}`)).map((line) => line.split(' ')[0] ?? '');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#folder[Symbol.asyncDispose]();
  }
}

/** Ends a server with no warning. */
export async function kill({ pid }: Pick<Ampoule, 'pid'>): Promise<void> {
  process.kill(pid, 'SIGKILL');
  await until('the server is gone', () => living([pid]).length === 0);
}

/** A call of `execute_code` whose answer comes early. */
export async function begin(client: TestClient, code: string, args: Record<string, unknown> = {}): Promise<ExecuteOutput> {
  const { output } = answerOf(await client.call({ code, answerAfterMs: 10, ...args }));
  expect(output).toMatchObject({ status: expect.stringMatching(/^(?:waiting|running)$/), executionId: expect.stringMatching(/^exe_/) });
  return output;
}

/** How an execution ends, however often it has to be waited for. */
export async function endOf(client: TestClient, { executionId }: Pick<ExecuteOutput, 'executionId'>): Promise<ExecuteOutput> {
  const end = performance.now() + END_MS;
  for (;;) {
    const { output } = answerOf(await client.callTool('wait_execution', { executionId, timeoutMs: 5_000 }));
    if (output.status !== 'waiting') return output;
    if (performance.now() > end) throw new Error(`${executionId} does not end: ${JSON.stringify(output)}`);
  }
}

/** Waits until an execution is put away, or waits for a person, and it is known for what. */
export async function untilWaiting(client: TestClient, { executionId }: Pick<ExecuteOutput, 'executionId'>): Promise<ExecuteOutput> {
  let output: ExecuteOutput | undefined;
  await until(`${executionId} waits`, async () => {
    ({ output } = answerOf(await client.callTool('wait_execution', { executionId, timeoutMs: 0 })));
    return output.status === 'waiting' && output.waiting !== undefined;
  });
  return output as ExecuteOutput; // `until` has seen one
}
