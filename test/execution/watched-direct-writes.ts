import { DirectConnection } from '../../src/execution/store/direct-connection.ts';

/** Tells of each time that something is to be written in the gateway's own thread. @param onWrite - gets how much was written; undefined when nothing was */
export function watchDirectWrites(onWrite: (written: number | undefined) => void): void {
  // oxlint-disable-next-line typescript/unbound-method -- it is called on its connection again
  const { write } = DirectConnection.prototype;
  DirectConnection.prototype.write = function (requests, now): unknown[] | undefined {
    const values = write.call(this, requests, now);
    onWrite(values?.length);
    return values;
  };
}
