import * as p from '../primordials.ts';
import { end } from '../run.ts';
import { failureOf } from '../thrown.ts';
import { installPlatform } from './install.ts';

type Cleanup = (held: unknown) => unknown;

/** QuickJS cleans up in jobs of its own, and a throw in one would be a fault of the engine's: it ends the run, as a timer's throw does. */
export function installFinalization(): void {
  const Native = globalThis.FinalizationRegistry;
  const FinalizationRegistry = function (cleanup: unknown): object {
    if (new.target === undefined) throw new p.NativeTypeError('FinalizationRegistry is made with new');
    if (typeof cleanup !== 'function') throw new p.NativeTypeError('FinalizationRegistry: cleanup is not a function');
    return p.construct(Native, [guarded(cleanup as Cleanup)], new.target) as object;
  };
  p.defineProperty(FinalizationRegistry, 'prototype', { value: Native.prototype, writable: false });
  p.defineProperty(Native.prototype, 'constructor', { value: FinalizationRegistry });
  installPlatform({ FinalizationRegistry });
}

function guarded(cleanup: Cleanup): Cleanup {
  return (held) => {
    try {
      p.apply(cleanup, undefined, [held]);
    } catch (thrown) {
      end(failureOf(thrown));
    }
  };
}
