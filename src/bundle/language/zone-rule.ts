/** A change of a zone's clocks: its second since 1970, and what they show from then on (see generate-time-zones.ts). */
export interface Change {
  readonly at: number;
  readonly clock: number;
}

/** A day of every year: the first of a weekday (0 is Sunday) on or after a day of a month (1 to 12), and the local time in seconds. */
interface YearlyDay {
  readonly month: number;
  readonly weekday: number;
  readonly day: number;
  readonly time: number;
}

const LEAST_YEARS = 30;
const DAY = 86_400;
/** Between two changes of one rule. */
const LONGEST = 320 * DAY;

interface Tail {
  readonly kept: readonly Change[];
  /** The rule as text: two changes of `month.day.weekday.time.clock`, in base 36. */
  readonly rule?: (clocks: readonly number[]) => string;
}

/** Splits a history into single changes and the rule that all years after the last of them follow. */
export function tailRule(changes: readonly Change[]): Tail {
  const last = changes.at(-1);
  if (last === undefined || yearOf(last.at) < 2100) return { kept: changes };
  const rules = [yearlyDay(changes, 1), yearlyDay(changes, 2)];
  const [one, other] = rules;
  if (one === undefined || other === undefined) return { kept: changes };
  let from = changes.length;
  while (from >= 2 && follows(changes, from - 1, (changes.length - from + 1) & 1 ? one : other)) from--;
  // The rule begins with the first change that follows it.
  const kept = changes.slice(0, from + 1);
  const parts = [one, other].map(({ month, day, weekday, time }, i) => ({
    numbers: [month, day, weekday, time],
    clock: changes.at(-1 - i)?.clock ?? 0,
  }));
  return {
    kept,
    rule: (clocks) => parts.map(({ numbers, clock }) => [...numbers, clocks.indexOf(clock)].map((n) => n.toString(36)).join('.')).join(' '),
  };
}

function yearOf(at: number): number {
  return new Date(at * 1000).getUTCFullYear();
}

function localOf(changes: readonly Change[], index: number): Date {
  const before = changes[index - 1]?.clock ?? 0;
  return new Date(((changes[index]?.at ?? 0) + Math.floor(before / 2)) * 1000);
}

/** The rule of every second change, counted from the end. Tries the day before as well, for a clock that says 24:00. */
function yearlyDay(changes: readonly Change[], fromEnd: number): YearlyDay | undefined {
  for (const shift of [0, DAY, -DAY]) {
    const days: Date[] = [];
    for (let i = changes.length - fromEnd; i > 0 && days.length < LEAST_YEARS; i -= 2) {
      days.push(new Date(localOf(changes, i).getTime() - shift * 1000));
    }
    const [first] = days;
    if (first === undefined) return undefined;
    const day = Math.min(...days.map((date) => date.getUTCDate()));
    const same = days.every(
      (date) =>
        date.getUTCMonth() === first.getUTCMonth() &&
        date.getUTCDay() === first.getUTCDay() &&
        date.getUTCDate() < day + 7 &&
        date.getTime() % 86_400_000 === first.getTime() % 86_400_000,
    );
    if (same) return { month: first.getUTCMonth() + 1, weekday: first.getUTCDay(), day, time: ((first.getTime() / 1000) % DAY) + shift };
  }
  return undefined;
}

function follows(changes: readonly Change[], index: number, rule: YearlyDay): boolean {
  const before = changes[index - 1];
  const twoLater = changes[index + 2];
  const change = changes[index];
  if (before === undefined || change === undefined) return false;
  if (twoLater !== undefined && twoLater.clock !== change.clock) return false;
  const following = changes[index + 1];
  // A year without a change is none that the rule gives.
  if (following !== undefined && (before.clock !== following.clock || following.at - change.at > LONGEST)) return false;
  const expected = secondOf(rule, localOf(changes, index).getUTCFullYear()) - Math.floor(before.clock / 2);
  return expected === change.at;
}

/** The local second at which a yearly change happens. */
function secondOf({ month, weekday, day, time }: YearlyDay, year: number): number {
  const first = Date.UTC(year, month - 1, day) / 1000;
  const ahead = (weekday - new Date(first * 1000).getUTCDay() + 7) % 7;
  return first + ahead * DAY + time;
}
