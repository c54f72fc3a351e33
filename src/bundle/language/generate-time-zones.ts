/**
 * Writes `time-zone-data.ts` beside it, from the time zones of the ICU in the Node that runs it:
 * `node src/bundle/language/generate-time-zones.ts`. The same Node writes the same bytes.
 */
import { writeFileSync } from 'node:fs';
import { ZONE_LINKS, ZONES } from './time-zone-data.ts';
import { tailRule, type Change } from './zone-rule.ts';

const FROM_YEAR = 1840;
const TO_YEAR = 2110;
const DAY_MS = 86_400_000;
const STEP_MS = 6 * DAY_MS;
const SUMMER = /(?:Summer|Daylight|Irish Standard) Time|^Daylight/;

/** What a zone's clocks show at a time: seconds ahead of UTC, twice, and one more in summer time. */
type Clock = (time: number) => number;

function clockOf(timeZone: string): Clock {
  const fields = new Intl.DateTimeFormat('en-u-hc-h23', {
    timeZone,
    era: 'short',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
    timeZoneName: 'long',
  });
  return (time) => {
    const part: Record<string, string> = {};
    for (const { type, value } of fields.formatToParts(time)) part[type] = value;
    const year = part['era'] === 'BC' ? 1 - Number(part['year']) : Number(part['year']);
    const [month = 1, day = 1, hour = 0, minute = 0, second = 0] = ['month', 'day', 'hour', 'minute', 'second'].map((type) =>
      Number(part[type]),
    );
    const local = new Date(0);
    local.setUTCFullYear(year, month - 1, day);
    local.setUTCHours(hour, minute, second);
    const seconds = Math.round((local.getTime() - Math.floor(time / 1000) * 1000) / 1000);
    return seconds * 2 + (SUMMER.test(part['timeZoneName'] ?? '') ? 1 : 0);
  };
}

/** Every change of a zone's clocks, with the second at which it happens. */
function changesOf(clock: Clock): { first: number; changes: Change[] } {
  const start = Date.UTC(FROM_YEAR, 0, 1);
  const changes: Change[] = [];
  const first = clock(start);
  let before = first;
  for (let time = start; time < Date.UTC(TO_YEAR, 0, 1); time += STEP_MS) {
    while (true) {
      if (clock(time + STEP_MS) === before) break;
      const at = boundary(clock, time, time + STEP_MS, before);
      before = clock(at * 1000);
      changes.push({ at, clock: before });
      if (clock(time + STEP_MS) === before) break;
    }
  }
  return { first, changes };
}

/** The first second at which the clock no longer shows what it did. */
function boundary(clock: Clock, from: number, to: number, before: number): number {
  let low = Math.floor(from / 1000);
  const last = changesSeen.at(-1);
  if (last !== undefined && low < last && clock(low * 1000) !== before) low = last;
  let high = Math.floor(to / 1000);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (clock(middle * 1000) === before) low = middle;
    else high = middle;
  }
  changesSeen.push(high);
  return high;
}
const changesSeen: number[] = [];

/** Some zones have a name for the winter only: an hour without a name that is between two of those is summer time. */
function withNamelessSummers(timeZone: string, changes: readonly Change[]): Change[] {
  const names = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'long', year: 'numeric' });
  // Well after the change: names do not always change with it.
  const isNameless = changes.map(({ at }, i) =>
    /\bGMT[+-]/.test(names.format(((at + Math.min(changes[i + 1]?.at ?? Infinity, at + 60 * 86_400)) / 2) * 1000)),
  );
  return changes.map(({ at, clock }, i) => {
    const neighbours = [i - 1, i + 1].filter((j) => isNameless[j] === false);
    const isShort = (changes[i + 1]?.at ?? Infinity) - at < 300 * 86_400;
    const isSummer = isNameless[i] === true && isShort && at > 0 && neighbours.some((j) => (changes[j]?.clock ?? clock) < clock);
    return { at, clock: isSummer ? clock | 1 : clock };
  });
}

const UNIT = 900;

function packed(first: number, changes: readonly Change[]): string {
  const clocks = [...new Set([first, ...changes.map(({ clock }) => clock)])];
  const { kept, rule } = tailRule(changes);
  let last = 0;
  const steps = kept.map(({ at, clock }) => {
    const delta = at - last;
    last = at;
    const index = clocks.indexOf(clock).toString(36);
    return delta % UNIT === 0 ? `${(delta / UNIT).toString(36)}${index}` : `${delta.toString(36)}.${index}`;
  });
  return [clocks.map((clock) => clock.toString(36)).join(' '), steps.join(' '), rule?.(clocks) ?? ''].join('|').replace(/\|+$/, '');
}

/** Names of UTC, and others that nobody lists. */
const MORE_NAMES =
  'UTC GMT GMT0 GMT+0 GMT-0 UCT Zulu Universal Greenwich Etc/UTC Etc/GMT Etc/UCT Etc/Zulu Etc/Greenwich Etc/Universal Etc/GMT0 Etc/GMT+0 Etc/GMT-0';

/** Names that Node knows: those that it lists, and those of the last time, which had them of the tz database's list of older names. */
function knownNames(): string[] {
  const names = new Set(Intl.supportedValuesOf('timeZone'));
  const last = [...ZONES.map((line) => line.split('|')[0] ?? ''), ...ZONE_LINKS.map((link) => link.split(' ')[0] ?? '')];
  for (const name of [...last, ...MORE_NAMES.split(' ')]) {
    try {
      if (Intl.DateTimeFormat('en', { timeZone: name })) names.add(name);
    } catch {
      // Not a name in this Node.
    }
  }
  return [...names].sort();
}

/** A list as one text: a file has no more lines than its formatter gives it. */
function lines(list: readonly string[]): string {
  return `'${list.join('\\n')}'.split('\\n')`;
}

function main(): void {
  const zones = new Map<string, string>();
  const links: string[] = [];
  for (const name of knownNames()) {
    const canonical = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
    if (!zones.has(canonical)) {
      changesSeen.length = 0;
      const { first, changes } = changesOf(clockOf(canonical));
      zones.set(canonical, packed(first, withNamelessSummers(canonical, changes)));
    }
    if (canonical !== name) links.push(`${name} ${canonical}`);
  }
  const sorted = [...zones].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, data]) => `${name}|${data}`);
  const text = `// Generated by generate-time-zones.ts from the time zones ${process.versions.tz ?? ''} of Node's ICU - do not edit.
/** Each zone with its history: name, clocks, changes, rule for all later years. See zone-rule.ts. */
export const ZONES: readonly string[] = ${lines(sorted)};
/** Other names, each with the zone that it is a name of. */
export const ZONE_LINKS: readonly string[] = ${lines(links.sort())};
`;
  writeFileSync(new URL('./time-zone-data.ts', import.meta.url), text);
}

main();
