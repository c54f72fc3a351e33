interface Lane<T> {
  readonly name: string;
  readonly items: T[];
}

/**
 * A queue in which everybody who waits has a turn: each lane is first come, first served, and the lanes take turns. So whoever has a hundred
 * runs waiting keeps nobody else waiting longer than for one of them.
 */
export class FairQueue<T> {
  /** Lanes with something in them; the first one's turn is next. */
  readonly #lanes = new Map<string, Lane<T>>();
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(name: string, item: T): void {
    const lane = this.#lanes.get(name);
    if (lane === undefined) this.#lanes.set(name, { name, items: [item] });
    else lane.items.push(item);
    this.#length++;
  }

  /** Before everything else. */
  unshift(name: string, item: T): void {
    const items = this.#lanes.get(name)?.items ?? [];
    const others = [...this.#lanes.values()].filter((lane) => lane.name !== name);
    this.#lanes.clear();
    this.#lanes.set(name, { name, items: [item, ...items] });
    for (const lane of others) this.#lanes.set(lane.name, lane);
    this.#length++;
  }

  /** Whose turn is next. It stays in the queue. */
  get first(): T | undefined {
    const [lane] = this.#lanes.values();
    return lane?.items[0];
  }

  /** Takes out whose turn is next; the next turn is another lane's. */
  shift(): T | undefined {
    const [lane] = this.#lanes.values();
    if (lane === undefined) return undefined;
    const item = lane.items.shift();
    this.#lanes.delete(lane.name);
    if (lane.items.length > 0) this.#lanes.set(lane.name, lane);
    this.#length--;
    return item;
  }

  /** @returns whether it was there */
  remove(name: string, item: T): boolean {
    const lane = this.#lanes.get(name);
    const place = lane?.items.indexOf(item) ?? -1;
    if (lane === undefined || place < 0) return false;
    lane.items.splice(place, 1);
    if (lane.items.length === 0) this.#lanes.delete(name);
    this.#length--;
    return true;
  }

  /** Takes the newest out of the longest lane, if that leaves it no shorter than the lane of this name with one more. */
  displace(name: string): T | undefined {
    let longest: Lane<T> | undefined;
    for (const lane of this.#lanes.values()) if (lane.items.length > (longest?.items.length ?? 0)) longest = lane;
    const own = this.#lanes.get(name)?.items.length ?? 0;
    if (longest === undefined || longest.items.length <= own + 1) return undefined;
    this.#length--;
    return longest.items.pop();
  }

  /** Takes everything out. */
  drain(): T[] {
    const all = [...this.#lanes.values()].flatMap(({ items }) => items);
    this.#lanes.clear();
    this.#length = 0;
    return all;
  }
}
