import { expect, test } from 'vitest';
import { callFrames } from '../../../src/execute/executor/call-frames.ts';
import { eventSchema, isWhole } from '../../../src/execute/executor-protocol.ts';
import type { SentCall } from '../../../src/execute/worker-protocol.ts';

const call = (number: number, text = '{}'): SentCall => ({ number, server: 's', tool: 't', arguments: text });

/** The arguments that the other side finds in the frames, and whether it takes all of them. */
function received(calls: readonly SentCall[]): { frames: number; texts: string[] } {
  const frames = callFrames(5, calls);
  const texts = frames.flatMap(({ event, payload }) => {
    const parsed = eventSchema.parse(event);
    expect(isWhole(parsed, payload)).toBe(true);
    let at = 0;
    return parsed.type === 'calls' ? parsed.calls.map(({ bytes }) => Buffer.from(payload).toString('utf8', at, (at += bytes))) : [];
  });
  return { frames: frames.length, texts };
}

test('the calls of a step are one frame', () => {
  const texts = ['{"a":1}', '{"größe":"😀"}', '{}'];
  expect(received(texts.map((text, i) => call(i, text)))).toEqual({ frames: 1, texts });
});

test('no call is no frame', () => {
  expect(callFrames(5, [])).toEqual([]);
});

test('a thousand calls are one frame and one more is another', () => {
  expect(received(Array.from({ length: 1_000 }, (_, i) => call(i))).frames).toBe(1);
  expect(received(Array.from({ length: 1_001 }, (_, i) => call(i)))).toMatchObject({ frames: 2, texts: { length: 1_001 } });
});

test('large arguments have a frame for themselves', () => {
  const large = `"${'x'.repeat(1024 * 1024)}"`;
  expect(received([call(1), call(2, large), call(3), call(4, large)])).toEqual({ frames: 4, texts: ['{}', large, '{}', large] });
});

test('half a character at the end of one text and half at the beginning of the next change no length', () => {
  expect(received([call(1, '"\ud83d'), call(2, '\ude00"')])).toEqual({ frames: 1, texts: ['"\ufffd', '\ufffd"'] });
});
