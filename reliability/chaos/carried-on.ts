import { setTimeout as sleep } from 'node:timers/promises';
import { HttpClient } from '../exchange.ts';
import { ServerUnderTest, type ServerFolder } from '../server.ts';
import { checkEnd } from './checks.ts';
import type { Ledger } from './ledger.ts';
import { clip, type Output } from './task.ts';

const LONGEST_MS = 45_000;
const POLL_MS = 200;

/** Runs that a server let go of when it was asked to end, by their ids, each with the endings that are right. */
export type LetGo = ReadonlyMap<string, readonly string[]>;

/** The next server carries each of them to its end. */
export async function carryOn(folder: ServerFolder, letGo: LetGo, ledger: Ledger): Promise<void> {
  const server = new ServerUnderTest(folder, 'http');
  try {
    await server.ready();
    const client = new HttpClient(server.url, '2026-07-28');
    const end = performance.now() + LONGEST_MS;
    for (const [executionId, endings] of letGo) {
      ledger.requests++;
      const ending = await endingOf(client, executionId, end);
      ledger.ending('after the end', ending);
      if (!endings.includes(ending)) ledger.fault('A run that a server let go of was not carried on', `${executionId}: ${ending}`);
      // Its only line in the audit is that of its end.
      ledger.executions.add(executionId);
    }
    client.close();
    await checkEnd('HTTP, the next one', server, 'SIGTERM', ledger);
  } finally {
    server.child.kill('SIGKILL');
    await server.end('SIGTERM');
  }
}

async function endingOf(client: HttpClient, executionId: string, end: number): Promise<string> {
  for (;;) {
    const { messages, broken } = await client.post('tools/call', { name: 'wait_execution', arguments: { executionId, timeoutMs: 500 } })
      .answered;
    const output = messages[0]?.result?.['structuredContent'] as Output | undefined;
    const isOpen = output?.status === 'waiting' || output?.status === 'running';
    if (!isOpen || performance.now() > end) return output?.error?.code ?? output?.status ?? broken ?? clip(JSON.stringify(messages));
    await sleep(POLL_MS);
  }
}
