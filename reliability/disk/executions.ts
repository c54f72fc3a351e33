import { join } from 'node:path';
import { openExecutions } from '../../src/execution/store/sqlite-executions.ts';
import { Damage, type StoreKind } from './store-under-test.ts';

const MiB = 1024 * 1024;
const YEAR_MS = 365 * 86_400_000;
const IMAGE_BYTES = 100_000;
const USAGE = { fuel: 0, peakMemoryBytes: 0, activeMs: 0, waitingMs: 0, toolCalls: 0 };

/** Executions that are put away. Its database has a thread of its own, so it is in no program that is one file. */
export const EXECUTIONS: StoreKind = {
  name: 'executions',
  keeps: true,
  async open(folder, writer) {
    const limits = { executionTtlMs: YEAR_MS, maxStoredBytes: 64 * MiB, maxRecordBytes: MiB };
    const store = openExecutions({ file: join(folder, 'executions.db'), group: writer, limits });
    // What another process was ended with.
    await store.claim();
    return {
      async write(number) {
        const isNew = (await store.read(writer)) === undefined;
        if (isNew) await store.create({ id: writer, principal: 'local', createdAt: number, request: '{}' });
        const wait = { pending: [], lastCall: number, nextTimer: null, now: 0, at: 0, usage: USAGE, imageBytes: IMAGE_BYTES };
        await store.hibernated(writer, wait, new Uint8Array(IMAGE_BYTES).fill(number % 251));
        return '';
      },
      async read() {
        const number = (await store.read(writer))?.wait?.lastCall ?? 0;
        const image = number === 0 ? undefined : await store.image(writer);
        if (image?.some((byte) => byte !== number % 251)) throw new Damage('an image that is mixed');
        return number;
      },
      close: () => store.close(),
    };
  },
};
