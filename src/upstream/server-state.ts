import { isDeepStrictEqual } from 'node:util';
import { failedAnswer, type CallAnswer } from './call.ts';
import type { CatalogServer, CatalogTool, UpstreamState } from './catalog.ts';
import { loginAnswerOf, type ConnectFailure } from './failure.ts';

const MAX_INSTRUCTIONS_LENGTH = 16 * 1024;

/** What a server says of itself and offers. */
interface Ready {
  readonly title: string | undefined;
  readonly instructions: string | undefined;
  /** Those that the operator allows, sorted. */
  readonly tools: readonly CatalogTool[];
}

/** Where one upstream server stands, for the catalog, and for those who call its tools in vain. */
export class ServerState {
  readonly #onUpdate: () => void;
  #snapshot: CatalogServer;
  /** Why it is not ready, as far as programs may know it. */
  #publicReason: string | undefined;

  constructor(name: string, isEnabled: boolean, onUpdate: () => void) {
    this.#onUpdate = onUpdate;
    this.#snapshot = Object.freeze({ name, state: isEnabled ? 'connecting' : 'disabled', tools: [] });
  }

  get snapshot(): CatalogServer {
    return this.#snapshot;
  }

  ready({ title, instructions, tools }: Ready): void {
    this.#update('ready', {
      tools: isDeepStrictEqual(tools, this.#snapshot.tools) ? this.#snapshot.tools : Object.freeze(tools),
      ...(title !== undefined && { title }),
      ...(instructions !== undefined && { instructions: instructions.slice(0, MAX_INSTRUCTIONS_LENGTH) }),
    });
    this.#publicReason = undefined;
  }

  /** It has not answered for so long, and may still. */
  slow(ms: number): void {
    if (this.#snapshot.state !== 'connecting' || this.#snapshot.reason !== undefined) return;
    this.#publicReason = `it has not answered for ${ms} ms`;
    this.#update('connecting', { reason: this.#publicReason });
  }

  /** It is tried again later, or after a login. */
  failed(failure: ConnectFailure): void {
    this.#publicReason = failure.reason;
    this.#update(failure.needsLogin === true ? 'login' : 'retrying', { reason: told(failure) });
  }

  /** The answer to a call while there is no connection. */
  unavailable(): CallAnswer {
    const { name, state } = this.#snapshot;
    if (state === 'login') return loginAnswerOf(name, this.#publicReason ?? 'it needs a login');
    const why = this.#publicReason === undefined ? '' : `: ${this.#publicReason}`;
    const hint = state === 'disabled' ? 'The operator has disabled it.' : 'It is being connected in the background: try again later.';
    return failedAnswer('ERR_UPSTREAM_UNAVAILABLE', `the server "${name}" is not connected (${state})${why}`, hint);
  }

  #update(state: UpstreamState, changes: Partial<CatalogServer>): void {
    const { reason: _old, ...kept } = this.#snapshot;
    const next = { ...kept, ...changes, state };
    if (isDeepStrictEqual(next, { ...this.#snapshot })) return;
    this.#snapshot = Object.freeze(next);
    this.#onUpdate();
  }
}

/** A failure for the operator. */
export function told({ reason, detail }: ConnectFailure): string {
  return detail === undefined ? reason : `${reason}: ${detail}`;
}
