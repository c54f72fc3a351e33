import type { OnCall } from '../execute/run-handle.ts';
import type { WaitReason } from '../execution/durable-run.ts';

/** The tool calls of one execution that have no answer yet. */
export class ToolsUnderWay {
  /** By number of the call. */
  readonly #calls = new Map<number, WaitReason>();

  get reasons(): readonly WaitReason[] {
    return [...this.#calls.values()];
  }

  /** The same answers to tool calls; those that are missing are what the execution waits for. */
  noting(onCall: OnCall): OnCall {
    return async (call, signal) => {
      const { number, server, tool } = call;
      this.#calls.set(number, { kind: 'tool', call: number, server, tool, since: Date.now() });
      try {
        return await onCall(call, signal);
      } finally {
        this.#calls.delete(number);
      }
    };
  }
}
