/** So often is a run begun again when nothing new comes of it in between: a call that it had not made before, an answer taken, or that it was put away. */
export const MAX_RESTARTS_IN_A_ROW = 3;
/** So often in all: a program that ends its process after every call is one, too. */
export const MAX_RESTARTS = 50;
/** So often, when the process ends before the run has begun: that is hardly ever the run's fault, and then this is its end. */
export const MAX_FRUITLESS = 10;
/** So often, when the gateway ends: that is hardly ever a run's fault, and others were lost with it that will have their turn. */
export const MAX_GATEWAYS = 30;
/** So many processes is a run given to that has not begun in any, as without a store. */
export const MAX_FRESH = 2;

/** Whether a run may be begun again after the process that had it was lost, and when. */
export class RestartCount {
  #total = 0;
  #inARow = 0;
  #fruitless = 0;
  #fresh = 0;
  #hadDamage = false;

  /**
   * The gateway that had it was lost.
   * @param total how often it was begun again before
   * @param inARow so often of these nothing new came of it
   * @returns whether the run may go on
   */
  takeOver(total: number, inARow: number): boolean {
    this.#total = total + 1;
    this.#fruitless = inARow + 1;
    return this.#fruitless <= MAX_GATEWAYS && this.#total <= MAX_RESTARTS;
  }

  /** Something new came of the run. */
  progress(): void {
    this.#inARow = 0;
    this.#fruitless = 0;
  }

  /**
   * The process was lost.
   * @param hasBegun whether the run may have begun there
   * @returns whether the run may begin again
   */
  take(hasBegun: boolean): boolean {
    if (!hasBegun) return ++this.#fruitless <= MAX_FRUITLESS;
    this.#total++;
    return ++this.#inARow <= MAX_RESTARTS_IN_A_ROW && this.#total <= MAX_RESTARTS;
  }

  /** The process was lost, and the run has never begun. @returns whether it may be given to another */
  takeFresh(): boolean {
    return ++this.#fresh < MAX_FRESH;
  }

  /** Its image is damaged. @returns whether it may begin again from its start, which is so once */
  takeDamage(): boolean {
    const mayBegin = !this.#hadDamage;
    this.#hadDamage = true;
    return mayBegin;
  }

  /**
   * How long to wait before that, in milliseconds. At once the first time; then not in step with the others that were lost with it, since one of them may
   * be what ends processes.
   */
  delayMs(random: number): number {
    const tries = Math.max(this.#inARow, this.#fruitless);
    return tries <= 1 ? 0 : Math.min(500 * 2 ** tries, 10_000) * random;
  }
}
