const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** `1,234,567`. */
export function countOf(amount: number): string {
  return amount.toLocaleString('en');
}

/** A time in the units that people would say it in: `32 ms`, `2.001 s`, `1 min 17 s`, `23 h`, `30 days`. @param ms milliseconds */
export function duration(ms: number): string {
  const whole = Math.round(ms);
  if (whole < 1_000) return `${whole} ms`;
  if (whole < MINUTE_MS) return `${whole / 1_000} s`;
  const [days, hours, minutes, seconds] = [
    Math.floor(whole / DAY_MS),
    Math.floor(whole / HOUR_MS) % 24,
    Math.floor(whole / MINUTE_MS) % 60,
    Math.floor(whole / 1_000) % 60,
  ];
  // Seconds of what took hours nobody asks for.
  const parts = [
    unit(days, days === 1 ? 'day' : 'days'),
    unit(hours, 'h'),
    unit(minutes, 'min'),
    days + hours > 0 ? '' : unit(seconds, 's'),
  ];
  return parts.filter((part) => part !== '').join(' ');
}

/** How long after a beginning something was: seconds to the millisecond as long as there are few of them, so that those below each other can be compared. */
export function momentAfter(ms: number): string {
  return ms < MINUTE_MS ? `+${(ms / 1_000).toFixed(3)} s` : `+${duration(ms)}`;
}

function unit(amount: number, name: string): string {
  return amount === 0 ? '' : `${amount} ${name}`;
}
