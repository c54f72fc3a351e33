import { dateKeywords, numberingSystems } from './date-data.ts';
import { defaultLocale, localeData } from './locale-data.ts';
import { zoneNames } from './time-zones.ts';

const UNITS =
  'acre bit byte celsius centimeter day degree fahrenheit fluid-ounce foot gallon gigabit gigabyte gram hectare hour inch kilobit kilobyte ' +
  'kilogram kilometer liter megabit megabyte meter microsecond mile mile-scandinavian milliliter millimeter millisecond minute month ' +
  'nanosecond ounce percent petabyte pound second stone terabit terabyte week yard year';

/** `Intl.supportedValuesOf`. @throws RangeError for a key that is none */
export function supportedValuesOf(key: unknown): string[] {
  switch (String(key)) {
    case 'calendar':
      return [...dateKeywords[defaultLocale].ca].map(String).sort();
    case 'collation':
      return [];
    case 'currency':
      return Object.keys(localeData<{ currencies: object }>('number', defaultLocale).currencies).sort();
    case 'numberingSystem':
      return numberingSystems().sort();
    case 'timeZone':
      return zoneNames().sort();
    case 'unit':
      return UNITS.split(' ');
    default:
      throw new RangeError(`Invalid key : ${String(key)}`);
  }
}
