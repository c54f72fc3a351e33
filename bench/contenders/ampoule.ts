import type { OpenSandbox } from '../../src/open-sandbox.ts';
import { ENGINES } from '../engines.ts';
import type { Bench } from '../part.ts';
import { runProgram } from '../run-program.ts';
import { openBenchSandbox } from '../sandbox.ts';
import { NEVER_SEEN, otherEngineName, SEEN } from './names.ts';
import type { Absent, Contender, Program } from './contender.ts';

const CONFIG = { check: 'off' };

/** Both through the executor process: two processes, worker threads, a reset instance for each run, every limit on. */
export async function ampoule(bench: Bench): Promise<Contender[]> {
  const sandbox = await openBenchSandbox(bench, { config: CONFIG });
  let number = 0;
  const never = async (program: Program): Promise<string> => {
    number += 1;
    return runOnce(sandbox, { ...program, script: `/* ${number} */ ${program.script}` });
  };
  return [
    { name: SEEN, pace: 'usual', run: (program) => runOnce(sandbox, program), close: () => sandbox.close() },
    { name: NEVER_SEEN, pace: 'usual', run: never, close: () => Promise.resolve() },
  ];
}

/** The engine that was not asked for, with programs that it has seen. */
export async function otherEngine(bench: Bench): Promise<Contender | Absent> {
  const engineKind = ENGINES.find((kind) => kind !== bench.engineKind) ?? bench.engineKind;
  const name = otherEngineName(engineKind);
  try {
    const sandbox = await openBenchSandbox({ ...bench, engineKind }, { config: CONFIG });
    return { name, pace: 'usual', run: (program) => runOnce(sandbox, program), close: () => sandbox.close() };
  } catch (error) {
    return { name, reason: `it does not start (${error instanceof Error ? error.message : String(error)})` };
  }
}

async function runOnce(sandbox: OpenSandbox, { script, answer }: Program): Promise<string> {
  const { end } = await runProgram(sandbox, { script, onCall: () => Promise.resolve({ ok: true, value: answer }) });
  if (end.status !== 'completed') throw new Error(`${end.code}: ${end.message}`);
  return end.result;
}
