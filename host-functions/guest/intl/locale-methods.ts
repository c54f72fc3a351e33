/* oxlint-disable typescript/unbound-method -- taken off their owners on purpose, as in primordials.ts */
import * as p from '../primordials.ts';
import { Collator } from './collator.ts';
import type { Defaults, Required } from './date-options.ts';
import { DateTimeFormat, dateFormatFor } from './date-time-format.ts';
import { define } from './facade.ts';
import { formatJs } from './formatjs.ts';
import { defaultLocale } from './locale-data.ts';
import { canonicalLocales } from './locales.ts';
import { plainNumber } from './plain-number.ts';
import { remembered } from './remembered.ts';

/** The methods of numbers and dates that follow a locale. */
export function installLocaleMethods(): void {
  const NumberFormat = formatJs['NumberFormat'] as new (locales: unknown, options: unknown) => { format(value: number | bigint): string };
  const numberOf = remembered((locales, options) => new NumberFormat(locales, options).format);
  const write = (value: number | bigint, locales: unknown, options: unknown): string =>
    (options === undefined ? plainNumber(value, locales) : undefined) ?? numberOf(locales, options)(value);
  method(Number.prototype, 'toLocaleString', 0, (self, locales, options) => write(p.numberValueOf(self), locales, options));
  method(BigInt.prototype, 'toLocaleString', 0, (self, locales, options) => write(p.bigintValueOf(self), locales, options));
  caseMethod('toLocaleUpperCase', (text, isTurkish) => upperCase(isTurkish ? replaceAll(text, 'i', 'İ') : text));
  caseMethod('toLocaleLowerCase', (text, isTurkish) =>
    lowerCase(isTurkish ? replaceAll(replaceAll(replaceAll(text, 'I\u0307', 'i'), 'İ', 'i'), 'I', 'ı') : text),
  );
  method(Array.prototype, 'toLocaleString', 0, listText);
  dateMethod('toLocaleString', 'any', 'all');
  dateMethod('toLocaleDateString', 'date', 'date');
  dateMethod('toLocaleTimeString', 'time', 'time');
  const collatorOf = remembered((locales, options) => new Collator(locales, options));
  const localeCompare = {
    localeCompare(this: unknown, that?: unknown, locales?: unknown, options?: unknown): number {
      if (this === undefined || this === null) throw new TypeError('String.prototype.localeCompare called on null or undefined');
      return p.apply(compareGetter, collatorOf(locales, options), [])(p.NativeString(this), p.NativeString(that));
    },
  };
  Object.defineProperty(localeCompare.localeCompare, 'length', { value: 1, configurable: true });
  define(String.prototype, 'localeCompare', localeCompare.localeCompare);
}

const upperCase = p.uncurry(String.prototype.toUpperCase);
const lowerCase = p.uncurry(String.prototype.toLowerCase);
const replaceAll = p.uncurry(String.prototype.replaceAll as (from: string, to: string) => string);

/** Upper and lower case differ by language for the Turkish i, in our two engines' reach. */
function caseMethod(name: string, change: (text: string, isTurkish: boolean) => string): void {
  method(String.prototype, name, 0, (self, locales) => {
    if (self === undefined || self === null) throw new TypeError(`String.prototype.${name} called on null or undefined`);
    const [locale = defaultLocale] = canonicalLocales(locales);
    return change(p.NativeString(self), /^(?:tr|az)(?:-|$)/.test(locale));
  });
}

/** Each item in its own way, and commas, as browsers put them. */
function listText(self: unknown, locales: unknown, options: unknown): string {
  const list = Object(self) as { length: number; [index: number]: unknown };
  let text = '';
  for (let i = 0; i < list.length; i++) {
    const item = list[i];
    if (i > 0) text += ',';
    if (item === undefined || item === null) continue;
    const { toLocaleString } = item as { toLocaleString: (locales: unknown, options: unknown) => unknown };
    text += p.NativeString(p.apply(toLocaleString as never, item, [locales, options] as never));
  }
  return text;
}

const compareGetter = p.getOwnPropertyDescriptor(Collator.prototype, 'compare')?.get as () => (a: string, b: string) => number;

function dateMethod(name: string, required: Required, defaults: Defaults): void {
  const formatOf = remembered((locales, options) => dateFormatFor(locales, options, required, defaults));
  method(Date.prototype, name, 0, (self, locales, options) => {
    const time = p.dateGetTime(self);
    return Number.isNaN(time) ? 'Invalid Date' : format(formatOf(locales, options), time);
  });
}

const formatGetter = p.getOwnPropertyDescriptor(DateTimeFormat.prototype, 'format')?.get as () => (time: number) => string;

function format(formatter: DateTimeFormat, time: number): string {
  return p.apply(formatGetter, formatter, [])(time);
}

function method(owner: object, name: string, length: number, body: (self: unknown, ...args: unknown[]) => unknown): void {
  const holder = {
    [name](this: unknown, locales?: unknown, options?: unknown): unknown {
      return body(this, locales, options);
    },
  };
  Object.defineProperty(holder[name], 'length', { value: length, configurable: true });
  define(owner, name, holder[name]);
}
