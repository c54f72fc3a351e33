import type { Statements } from './execution-parts.ts';
import type { Owners } from '../owners.ts';

/** Who carries on with what: takes over from the dead, and hears what others want of what is ours. Each within a transaction of the caller's. */
export class StoreClaims {
  readonly #run: Statements;
  readonly #owners: Owners;
  readonly #group: string;
  /** Executions whose owner here was told that they are to be cancelled. */
  #told = new Set<string>();

  constructor(run: Statements, owners: Owners, group: string) {
    this.#run = run;
    this.#owners = owners;
    this.#group = group;
  }

  /** All unfinished executions of the group that nobody carries on. @returns their ids, the oldest first */
  claim(): string[] {
    const owners = this.#run.owners.all(this.#group).map(({ owner }) => (typeof owner === 'string' ? owner : null));
    const dead = owners.filter((owner) => owner === null || !this.#owners.isAlive(owner));
    const self = this.#owners.own();
    const found = dead.flatMap((owner) => this.#run.unowned.all(this.#group, owner));
    for (const owner of dead) this.#run.own.run(self, this.#group, owner);
    this.#owners.sweep(new Set(this.#run.anyOwners.all().map(({ owner }) => String(owner))));
    return found.toSorted((a, b) => Number(a['created']) - Number(b['created'])).map(({ id }) => String(id));
  }

  /** Gives what has not ended to whoever claims it. */
  release(): void {
    this.#run.own.run(null, this.#group, this.#owners.id);
  }

  /** Executions of this store that somebody wants to be cancelled, each told once. */
  newCancels(): string[] {
    const asked = this.#run.toCancel.all(this.#owners.id).map(({ id }) => String(id));
    const fresh = asked.filter((id) => !this.#told.has(id));
    this.#told = new Set(asked);
    return fresh;
  }
}
