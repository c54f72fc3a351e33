import { WARM_UP_ANSWERS, WARM_UP_CALLS, WARM_UP_OPTIONS, WARM_UP_PROGRAM } from '../../engine/warm-up-program.ts';
import { LIMITS } from '../../limits.ts';
import type { EngineInstance } from '../worker/engine-instance.ts';

/** Runs a program in a new instance, so that the first run of a user finds the engine's code compiled. The instance is spent. */
export function warmUp(instance: EngineInstance): void {
  const { guest, meter, memory } = instance;
  let calls = 0;
  instance.host = { callTool: () => ++calls, readFile: () => new Uint8Array(), getState: () => '{}', log: () => undefined };
  meter.begin({
    fuel: LIMITS.fuel.default,
    pages: memory.buffer.byteLength / 65_536,
    maximumPages: LIMITS.memoryMb.default * 16,
    activeMs: LIMITS.timeoutMs.default,
    interrupt: new Int32Array(1),
  });
  guest.load(WARM_UP_PROGRAM);
  guest.start('null', WARM_UP_OPTIONS);
  guest.status();
  guest.resume(1, WARM_UP_CALLS, WARM_UP_ANSWERS);
  const [head = ''] = guest.status();
  if (!head.includes('"completed"')) throw new Error(`the engine cannot run its first program: ${head.slice(0, 1_000)}`);
}
