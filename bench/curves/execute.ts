import type { OpenSandbox } from '../../src/open-sandbox.ts';
import type { ExecuteRequest } from '../../src/server/sandbox-port.ts';

const NEVER = new AbortController().signal;

/** One call of the whole way without HTTP: its time, and where it went, in milliseconds. */
export interface Executed {
  readonly ms: number;
  readonly phases: Readonly<Record<string, number>>;
}

/** @throws Error when the run did not complete */
export async function executeOnce({ port }: Pick<OpenSandbox, 'port'>, request: ExecuteRequest): Promise<Executed> {
  const began = performance.now();
  const { structured } = await port.execute(request, { signal: NEVER });
  const ms = performance.now() - began;
  if (structured.status !== 'completed') throw new Error(`a run of the benchmark failed: ${JSON.stringify(structured).slice(0, 500)}`);
  return { ms, phases: structured.usage.phases };
}
