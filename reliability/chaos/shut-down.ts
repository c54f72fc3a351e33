import { setTimeout as sleep } from 'node:timers/promises';
import { type Era, HttpClient } from '../exchange.ts';
import type { Random } from '../random.ts';
import type { ServerUnderTest } from '../server.ts';
import type { LetGo } from './carried-on.ts';
import type { Ledger } from './ledger.ts';
import { clip, type Output } from './task.ts';

const REQUESTS = 40;
/** Codes with which a run may end because its server does. */
const CLOSING = new Set(['ERR_SERVER_CLOSING', 'ERR_EXECUTE_CANCELLED']);
const PROGRAMS: readonly (readonly [code: string, ...codes: string[]])[] = [
  ['return 1;'],
  ['for (;;);', 'ERR_EXECUTE_FUEL'],
  [
    'import { slow } from "servers/one"; return (await slow({ ms: 500, value: 1 })).value;',
    'ERR_UPSTREAM_CLOSED',
    'ERR_UPSTREAM_UNAVAILABLE',
  ],
  ['await new Promise((go) => setTimeout(go, 1_000)); return 1;'],
  ['import { setState } from "ampoule"; setState("n", 1); return 1;'],
];

/**
 * Sends requests and then the signal to end, in the middle of them. Each that was sent before has exactly one answer.
 * @returns the runs that go on when the next server is started
 */
export async function shutDownUnderLoad(server: ServerUnderTest, random: Random, ledger: Ledger): Promise<LetGo> {
  const clients = (['2026-07-28', '2025-11-25'] as Era[]).map((era) => new HttpClient(server.url, era));
  for (const client of clients) await client.open();
  const letGo = new Map<string, readonly string[]>();
  const sent: (() => boolean)[] = [];
  const late = new Set<() => boolean>();
  const answers = Array.from({ length: REQUESTS }, async (_, number) => {
    const [code, ...codes] = random.pick(PROGRAMS);
    const args = { code: `${code} // ${number}`, session: 'new', limits: { fuel: 4_000_000_000 } };
    const { answered, isSent } = random.pick(clients).post('tools/call', { name: 'execute_code', arguments: args });
    sent.push(isSent);
    const { messages, broken } = await answered;
    if (messages.length === 0 && late.has(isSent)) return ledger.ending('during the end', 'too late');
    ledger.requests++;
    const output = messages[0]?.result?.['structuredContent'] as Output | undefined;
    const found = output?.error?.code ?? output?.status ?? messages[0]?.error?.message ?? broken ?? 'nothing';
    ledger.ending('during the end', found.slice(0, 60));
    if (found === 'waiting' && output?.executionId !== undefined) letGo.set(output.executionId, ['completed', ...codes]);
    const isRight =
      found === 'completed' || found === 'waiting' || CLOSING.has(found) || codes.includes(found) || found.startsWith('ERR_SERVER_CLOSING');
    if (messages.length === 1 && isRight) return undefined;
    ledger.fault(
      'A request that the end of the server met has not had one right answer',
      `${code}: ${found} ${clip(JSON.stringify(messages))}`,
    );
    return undefined;
  });
  await sleep(50 + random.below(150));
  // What the system has not got by then may find nobody any more.
  for (const isSent of sent) if (!isSent()) late.add(isSent);
  server.child.kill('SIGTERM');
  await Promise.all(answers);
  for (const client of clients) client.close();
  return letGo;
}
