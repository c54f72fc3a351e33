const FIRST_MS = 1_000;
const LONGEST_MS = 60_000;

/** How long to wait before try number `attempt` (0 is the first retry), in milliseconds: doubling, bounded, up to a quarter less by chance. */
export function backOffMs(attempt: number, random: () => number = Math.random): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 10));
  return Math.round(full * (1 - random() / 4));
}
