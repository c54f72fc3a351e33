import { MAX_CALLS, type CallsEvent } from '../executor-protocol.ts';
import type { SentCall } from '../worker-protocol.ts';

/** Arguments that go in one frame with others. A call with more has one for itself. */
const FRAME_BYTES = 1024 * 1024;

export interface CallFrame {
  readonly event: CallsEvent;
  readonly payload: Uint8Array;
}

/** The calls of one step as messages to the gateway: one, unless they are very many or very large. */
export function callFrames(run: number, calls: readonly SentCall[]): CallFrame[] {
  const frames: CallFrame[] = [];
  let group: { call: SentCall; bytes: Buffer }[] = [];
  let size = 0;
  for (const call of calls) {
    const bytes = Buffer.from(call.arguments, 'utf8');
    if (group.length > 0 && (group.length >= MAX_CALLS || size + bytes.length > FRAME_BYTES)) {
      frames.push(frameOf(run, group));
      group = [];
      size = 0;
    }
    group.push({ call, bytes });
    size += bytes.length;
  }
  if (group.length > 0) frames.push(frameOf(run, group));
  return frames;
}

function frameOf(run: number, group: readonly { call: SentCall; bytes: Buffer }[]): CallFrame {
  const calls = group.map(({ call: { number, server, tool, at, fuel, step }, bytes }) => {
    const told = { call: number, server, tool, bytes: bytes.length };
    return at === undefined || fuel === undefined || step === undefined ? told : { ...told, at, fuel, step };
  });
  // Bytes are joined, not texts: two halves of a character that meet would change their length.
  const [only] = group;
  const payload = group.length === 1 && only ? only.bytes : Buffer.concat(group.map(({ bytes }) => bytes));
  return { event: { type: 'calls', run, calls }, payload };
}
