import type { Bench } from '../part.ts';
import { ampoule, otherEngine } from './ampoule.ts';
import { childProcess } from './child-process.ts';
import { componentPerSubmission } from './component-per-submission.ts';
import type { Absent, Contender } from './contender.ts';
import { isolatedVm } from './isolated-vm.ts';
import { freshModule, freshRuntime } from './quickjs-emscripten.ts';
import { workerThread } from './worker-thread.ts';

/** Everybody who is here, ours first, and those who are not. Close each. */
export async function openContenders(bench: Bench): Promise<{ contenders: Contender[]; absent: Absent[] }> {
  const others = await Promise.all([
    otherEngine(bench),
    freshRuntime(),
    freshModule(),
    isolatedVm(),
    workerThread(),
    childProcess(),
    componentPerSubmission(),
  ]);
  const isHere = (other: Contender | Absent): other is Contender => 'run' in other;
  return {
    contenders: [...(await ampoule(bench)), ...others.filter(isHere)],
    absent: others.filter((other): other is Absent => !isHere(other)),
  };
}
