import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../random.ts';
import type { ServerFolder } from '../server.ts';
import { runCommand } from './command.ts';
import type { Submitted } from './submitted.ts';

const PAUSE_MS = 500;
const AT_ONCE = 3;
const REFUSED = 0.2;
const CANCELS = 0.3;

interface Question {
  readonly id: string;
  readonly kind: 'approve' | 'repeat';
  readonly arguments: { readonly id: string };
}

/** The operator, who works with commands beside the servers. Everything that is said is noted before, and once more when it was taken. */
export class Operator {
  readonly #folder: ServerFolder;
  readonly #submitted: Submitted;
  readonly #random: Random;

  constructor(folder: ServerFolder, submitted: Submitted, random: Random) {
    [this.#folder, this.#submitted, this.#random] = [folder, submitted, random];
  }

  /** Answers and cancels now and then until it is over. */
  async work(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      await sleep(PAUSE_MS);
      await this.answerAll();
      if (!isOver() && this.#random.chance(CANCELS)) await this.#cancelOne();
    }
  }

  /** Says yes or no to every open question. One that was answered or ended meanwhile is no fault. */
  async answerAll(): Promise<void> {
    const open = [...((await this.#json(['approvals', 'list'])) as Question[])];
    const lane = async (): Promise<void> => {
      for (let next = open.shift(); next !== undefined; next = open.shift()) await this.#answer(next);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
  }

  /** Every run with its status, as the operator sees it. */
  async executions(): Promise<{ id: string; status: string }[]> {
    return (await this.#json(['executions', 'list', '--limit', '100000'])) as { id: string; status: string }[];
  }

  /** Ends one. @returns what the command said; undefined when it could not */
  async cancel(id: string): Promise<string | undefined> {
    this.#submitted.cancelAsked.add(id);
    const said = await runCommand(this.#folder, ['executions', 'cancel', id]).catch(() => undefined);
    // A run that is just ending may still complete.
    const isEndless = this.#submitted.program(this.#submitted.accepted.get(id) ?? '')?.isEndless === true;
    if (said !== undefined && isEndless) this.#submitted.cancelHeard.add(id);
    return said;
  }

  async #cancelOne(): Promise<void> {
    const { accepted, cancelAsked } = this.#submitted;
    const open = [...accepted.keys()].filter((id) => !cancelAsked.has(id)).slice(-20);
    if (open.length > 0) await this.cancel(this.#random.pick(open));
  }

  async #answer({ id, kind, arguments: { id: effect } }: Question): Promise<void> {
    const { approving, repeats, refused, notRepeated } = this.#submitted;
    const isRefused = this.#random.chance(REFUSED);
    if (!isRefused && kind === 'approve') approving.add(effect);
    if (!isRefused && kind === 'repeat') repeats.set(effect, (repeats.get(effect) ?? 0) + 1);
    const said = await runCommand(this.#folder, ['approvals', isRefused ? 'refuse' : 'approve', id]).catch(() => undefined);
    if (said !== undefined && isRefused) (kind === 'approve' ? refused : notRepeated).add(effect);
  }

  async #json(args: readonly string[]): Promise<unknown> {
    return JSON.parse(await runCommand(this.#folder, [...args, '--json'])) as unknown;
  }
}
