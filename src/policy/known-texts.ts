/** Shorter texts are not looked for: they are in everything. */
const MIN_LENGTH = 6;
const START_KINDS = 1 << 16;

interface Known {
  readonly text: string;
  /** The longest other known text that this one begins with. */
  shorter: Known | undefined;
}

/** Texts to be found in others. However many there are, and however alike, a look at a place takes about as long as the longest one there. */
export class KnownTexts {
  /** By their first characters, each list sorted by UTF-16 units. */
  readonly #lists = new Map<string, Known[]>();
  /** Says quickly where no known text begins. */
  readonly #starts = new Uint8Array(START_KINDS);

  add(text: string): void {
    if (text.length < MIN_LENGTH) return;
    const start = text.slice(0, MIN_LENGTH);
    const list = this.#lists.get(start) ?? [];
    const at = placeOf(list, text);
    if (list[at]?.text === text) return;
    const known: Known = { text, shorter: list[at - 1] };
    while (known.shorter && !text.startsWith(known.shorter.text)) known.shorter = known.shorter.shorter;
    list.splice(at, 0, known);
    for (const longer of beginningWith(list, text, at + 1)) if (longer.shorter === known.shorter) longer.shorter = known;
    this.#lists.set(start, list);
    this.#starts[startOf(text, 0)] = 1;
  }

  remove(text: string): void {
    const start = text.slice(0, MIN_LENGTH);
    const list = this.#lists.get(start) ?? [];
    const at = placeOf(list, text);
    const known = list[at];
    if (known?.text !== text) return;
    list.splice(at, 1);
    for (const longer of beginningWith(list, text, at)) if (longer.shorter === known) longer.shorter = known.shorter;
    if (list.length === 0) this.#lists.delete(start);
  }

  /** Where known texts are in a text, at each place the longest, with no regard to what is around them. */
  findIn(text: string): { from: number; to: number }[] {
    const found: { from: number; to: number }[] = [];
    if (this.#lists.size === 0) return found;
    for (let from = 0; from + MIN_LENGTH <= text.length; from++) {
      if (this.#starts[startOf(text, from)] !== 1) continue;
      const length = longestAt(this.#lists.get(text.slice(from, from + MIN_LENGTH)) ?? [], text, from);
      if (length === 0) continue;
      found.push({ from, to: from + length });
      from += length - 1;
    }
    return found;
  }
}

/** Length of the longest text of a list that is in a text at a place; 0 when none is. */
function longestAt(list: readonly Known[], text: string, from: number): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBehind(list[middle]?.text ?? '', text, from)) high = middle;
    else low = middle + 1;
  }
  // Of those that are there, each is one that this begins with, or this.
  let known = list[low - 1];
  const common = known ? commonLength(known.text, text, from) : 0;
  while (known && known.text.length > common) known = known.shorter;
  return known?.text.length ?? 0;
}

/** Whether a known text is sorted behind the rest of a text. */
function isBehind(known: string, text: string, from: number): boolean {
  const at = commonLength(known, text, from);
  return at < known.length && (from + at >= text.length || known.charCodeAt(at) > text.charCodeAt(from + at));
}

function commonLength(known: string, text: string, from: number): number {
  const most = Math.min(known.length, text.length - from);
  let at = 0;
  while (at < most && known.charCodeAt(at) === text.charCodeAt(from + at)) at++;
  return at;
}

/** Index of a text in a list, or of where it belongs. */
function placeOf(list: readonly Known[], text: string): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((list[middle]?.text ?? '') < text) low = middle + 1;
    else high = middle;
  }
  return low;
}

function* beginningWith(list: readonly Known[], text: string, from: number): Generator<Known, void> {
  for (let at = from, known = list[at]; known?.text.startsWith(text) === true; known = list[++at]) yield known;
}

function startOf(text: string, at: number): number {
  return (text.charCodeAt(at) * 961 + text.charCodeAt(at + 2) * 31 + text.charCodeAt(at + 5)) % START_KINDS;
}
