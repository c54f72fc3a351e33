import { principalsSchema } from '../../src/config/principals-schema.ts';
import { SandboxError } from '../../src/errors.ts';
import type { RunLimits, RunOutcome } from '../../src/execute/run.ts';
import { createQuotas, type RunQuota } from '../../src/quota/quotas.ts';

export const MINUTE = 60_000;
export const HOUR = 3_600_000;
export const GIGA = 1_000_000_000;

/** Quotas on a clock that the test sets. */
export function desk(principals: unknown, start = 0) {
  const clock = { now: start };
  const quotas = createQuotas({ principals: principalsSchema.parse(principals), now: () => clock.now });
  return {
    clock,
    begin: (principal: string): RunQuota => {
      const run = quotas.of(principal);
      run.enter();
      return run;
    },
    refusal: (principal: string): SandboxError | undefined => {
      const run = quotas.of(principal);
      try {
        run.enter();
        run.leave();
        return undefined;
      } catch (error) {
        if (error instanceof SandboxError) return error;
        throw error;
      }
    },
    of: (principal: string): RunQuota => quotas.of(principal),
  };
}

export const limits = (fuel: number): RunLimits => ({ fuel, timeoutMs: 1_000 }) as RunLimits;

export function outcome(fuel: number, code?: string): RunOutcome {
  const end = code === undefined ? { status: 'completed', result: '1', state: '' } : { status: 'failed', code, message: 'no' };
  return { end, usage: { fuel } } as unknown as RunOutcome;
}

/** A whole run that uses so much; gives the limit that it had. */
export async function spend(begin: () => RunQuota, asked: number, used: number | ((granted: number) => RunOutcome)): Promise<number> {
  const run = begin();
  let granted = 0;
  try {
    await run.run(limits(asked), async ({ fuel }) => {
      granted = fuel;
      await Promise.resolve();
      return typeof used === 'number' ? outcome(used) : used(fuel);
    });
  } finally {
    run.leave();
  }
  return granted;
}
