import type { KillProgram } from './programs.ts';

/** What the client of a program has heard. */
export interface Heard {
  /** `completed`, `failed` or `waiting`. */
  readonly status: string;
  readonly executionId: string;
  /** Of a failed one its error. */
  readonly result: unknown;
  readonly session?: string | undefined;
}

/** What was sent, asked for and heard before the kills: all that has to be true of it afterwards is in `judge.ts`. */
export class Submitted {
  readonly #programs = new Map<string, KillProgram>();
  /** Final answers by key. */
  readonly heard = new Map<string, Heard>();
  /** Keys by the ids of runs of which a client has heard that they are accepted. */
  readonly accepted = new Map<string, string>();
  /** Keys of requests that their client has gone away from. */
  readonly dropped = new Set<string>();
  /** Ids of runs of which a client was told that they did not come to their end, because the server ended. */
  readonly closed = new Set<string>();
  /** Ids of runs that somebody wanted to end. */
  readonly cancelAsked = new Set<string>();
  /** And was told that they are. */
  readonly cancelHeard = new Set<string>();
  /** Handles of sessions that clients count in. */
  readonly sessions = new Set<string>();
  /** By the key of the effect: what the operator was about to say, and what was taken. */
  readonly approving = new Set<string>();
  readonly refused = new Set<string>();
  readonly repeats = new Map<string, number>();
  readonly notRepeated = new Set<string>();

  get sent(): number {
    return this.#programs.size;
  }

  add(program: KillProgram): void {
    this.#programs.set(program.key, program);
  }

  hear(key: string, heard: Heard): void {
    if (heard.session !== undefined) this.sessions.add(heard.session);
    if (heard.status === 'waiting') this.accepted.set(heard.executionId, key);
    else this.heard.set(key, heard);
  }

  program(key: string): KillProgram | undefined {
    return this.#programs.get(key);
  }
}
