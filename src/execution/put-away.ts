import type { HibernatedRun } from '../execute/run.ts';
import type { Carrying } from './carrying.ts';
import { KeptImage } from './kept-image.ts';
import type { RunRecord } from './run-record.ts';

/** A run as it left its executor, and why the store has no image of it; then nothing of it is lost either. */
export interface PutAway {
  readonly image: KeptImage;
  readonly refusal?: unknown;
}

/** Has the image of a run kept. It counts as waiting from then on, unless it was refused. */
export async function putAway(
  { waiting, clocks }: Pick<Carrying, 'waiting' | 'clocks'>,
  record: RunRecord,
  { pending, lastCall, nextTimer, now, usage }: Omit<HibernatedRun, 'image'>,
  bytes: Uint8Array,
): Promise<PutAway> {
  const wait = { pending, lastCall, nextTimer, now, usage, at: clocks.wall(), imageBytes: bytes.length };
  const image = new KeptImage(record, wait, bytes);
  try {
    waiting.admit();
  } catch (refusal) {
    return { image, refusal };
  }
  waiting.enter();
  try {
    await record.hibernated(wait, bytes);
    return { image };
  } catch (refusal) {
    waiting.leave();
    return { image, refusal };
  }
}
