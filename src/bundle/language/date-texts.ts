import { readPackageJson } from './cldr.ts';

type Names = Record<string, string>;
type Contexts<T> = Record<'format' | 'stand-alone', Record<'wide' | 'abbreviated' | 'narrow', T>>;

interface Gregorian {
  months: Contexts<Names>;
  days: Contexts<Names>;
  dayPeriods: Contexts<Names>;
  eras: Record<'eraNames' | 'eraAbbr' | 'eraNarrow', Names>;
  dateFormats: Names;
  timeFormats: Names;
  dateTimeFormats: Record<string, string> & {
    availableFormats: Names;
    appendItems: Names;
    intervalFormats: Record<string, Names | string>;
  };
  'dateTimeFormats-atTime': { standard: Names };
}

interface ZoneName {
  long?: Names;
  short?: Names;
  [city: string]: unknown;
}

interface ZoneNames {
  hourFormat: string;
  gmtFormat: string;
  gmtZeroFormat: string;
  zone: Record<string, ZoneName>;
  metazone?: Record<string, ZoneName>;
}

/** What else is known of a locale. */
export interface DateFacts {
  readonly decimal: string;
  readonly numberingSystem: string;
  readonly hourCycle: string;
  readonly periodRules: readonly (readonly [string, number, number])[];
}

const WIDTHS = ['wide', 'abbreviated', 'narrow'] as const;
const STYLES = ['full', 'long', 'medium', 'short'] as const;
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
/** Patterns for fields that programs cannot ask for: quarters and weeks. */
const UNUSED = /[QqwWDF]|-alt-|-count-/;

/** The dates of a locale as `DateData` of the guest's `intl/date-data.ts`, in JSON. */
export async function dateText(locale: string, facts: DateFacts): Promise<string> {
  const [{ main: calendars }, { main: zones }] = await Promise.all([
    readPackageJson<{ main: Record<string, { dates: { calendars: { gregorian: Gregorian } } }> }>(
      'cldr-dates-full',
      `main/${locale}/ca-gregorian.json`,
    ),
    readPackageJson<{ main: Record<string, { dates: { timeZoneNames: ZoneNames } }> }>(
      'cldr-dates-full',
      `main/${locale}/timeZoneNames.json`,
    ),
  ]);
  const calendar = calendars[locale]?.dates.calendars.gregorian;
  const names = zones[locale]?.dates.timeZoneNames;
  if (calendar === undefined || names === undefined) throw new TypeError(`the data of ${locale} has another form`);
  return JSON.stringify({ ...calendarData(calendar), ...(await fieldNames(locale, calendar)), ...facts, ...zoneData(names) });
}

const FIELDS: Readonly<Record<string, string>> = {
  Era: 'era',
  Year: 'year',
  Month: 'month',
  'Day-Of-Week': 'weekday',
  Day: 'day',
  Hour: 'hour',
  Minute: 'minute',
  Second: 'second',
  Timezone: 'zone',
  '*': 'dayperiod',
};

/** What fields are called, where the locale's patterns say it. */
async function fieldNames(locale: string, { dateTimeFormats }: Gregorian): Promise<{ names: Names }> {
  const { main } = await readPackageJson<{ main: Record<string, { dates: { fields: Record<string, { displayName?: string }> } }> }>(
    'cldr-dates-full',
    `main/${locale}/dateFields.json`,
  );
  const fields = main[locale]?.dates.fields ?? {};
  const used = Object.entries(FIELDS).filter(([name]) => name === '*' || dateTimeFormats.appendItems[name]?.includes('{2}'));
  return { names: Object.fromEntries(used.map(([name, field]) => [name, fields[field]?.displayName ?? name])) };
}

function calendarData(calendar: Gregorian): object {
  const { months, days, dayPeriods, eras, dateTimeFormats } = calendar;
  const byStyle = (formats: Record<string, string>): (string | undefined)[] => STYLES.map((style) => formats[style]);
  const periods = (context: 'format' | 'stand-alone'): Names[] => WIDTHS.map((width) => withoutVariants(dayPeriods[context][width]));
  const { intervalFormatFallback, ...intervals } = dateTimeFormats.intervalFormats;
  return {
    months: WIDTHS.map((width) => Object.values(months.format[width])),
    standAloneMonths: WIDTHS.map((width) => Object.values(months['stand-alone'][width])),
    days: WIDTHS.map((width) => DAYS.map((day) => days.format[width][day])),
    standAloneDays: WIDTHS.map((width) => DAYS.map((day) => days['stand-alone'][width][day])),
    periods: periods('format'),
    standAlonePeriods: periods('stand-alone'),
    eras: [eras.eraNames, eras.eraAbbr, eras.eraNarrow].map((names) => [names['0'], names['1']]),
    dates: byStyle(calendar.dateFormats),
    times: byStyle(calendar.timeFormats),
    glue: byStyle(dateTimeFormats),
    glueAt: byStyle(calendar['dateTimeFormats-atTime'].standard),
    available: Object.fromEntries(Object.entries(dateTimeFormats.availableFormats).filter(([skeleton]) => !UNUSED.test(skeleton))),
    intervals: Object.fromEntries(Object.entries(intervals).map(([skeleton, patterns]) => [skeleton, withoutVariants(patterns as Names)])),
    intervalFallback: intervalFormatFallback,
    append: Object.fromEntries(Object.entries(dateTimeFormats.appendItems).filter(([, form]) => form !== '{0} {1}')),
  };
}

function withoutVariants(names: Names): Names {
  return Object.fromEntries(Object.entries(names).filter(([name]) => !name.includes('-alt-')));
}

function zoneData({ hourFormat, gmtFormat, gmtZeroFormat, zone, metazone = {} }: ZoneNames): object {
  const zoneNames: Record<string, (string | 0)[]> = {};
  for (const [name, names] of Object.entries(metazone)) zoneNames[name] = sixNames(names);
  addZones(zone, '', zoneNames);
  zoneNames['UTC'] ??= zoneNames['Etc/UTC'] ?? [];
  return { gmt: gmtFormat, gmtZero: gmtZeroFormat, hours: hourFormat, zoneNames };
}

function addZones(zones: Record<string, ZoneName>, prefix: string, found: Record<string, (string | 0)[]>): void {
  for (const [part, zone] of Object.entries(zones)) {
    if (typeof zone !== 'object') continue;
    const isZone = zone['_type'] === 'zone' || zone.long !== undefined || zone.short !== undefined;
    if (!isZone) addZones(zone as Record<string, ZoneName>, `${prefix}${part}/`, found);
    else if (zone.long !== undefined || zone.short !== undefined) found[`${prefix}${part}`] = sixNames(zone);
  }
}

/** Long generic, standard and daylight, then the short ones; 0 for none, and none at the end. */
function sixNames({ long, short }: ZoneName): (string | 0)[] {
  const names = [long, short].flatMap((set) => ['generic', 'standard', 'daylight'].map((kind) => set?.[kind] ?? 0));
  while (names.at(-1) === 0) names.pop();
  return names;
}
