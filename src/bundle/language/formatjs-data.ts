import { runInNewContext } from 'node:vm';
import { readPackageFile } from './cldr.ts';

type Entry = { readonly data: object; readonly locale: string };

/** The data of a locale as a FormatJS package has it. Its files call the polyfill that they are for. */
export async function formatJsData(
  name: 'NumberFormat' | 'PluralRules' | 'ListFormat' | 'RelativeTimeFormat' | 'DisplayNames',
  locale: string,
): Promise<object> {
  const text = await readNearest(`@formatjs/intl-${name.toLowerCase()}`, locale);
  const found: Entry[] = [];
  runInNewContext(text, { Intl: { [name]: { __addLocaleData: (entry: Entry) => found.push(entry) } } });
  const [entry] = found;
  if (entry === undefined) throw new TypeError(`the ${name} data of ${locale} has another form`);
  return entry.data;
}

/** Rules that are those of the whole language are kept under its name. */
async function readNearest(packageName: string, locale: string): Promise<string> {
  const parent = locale.slice(0, Math.max(locale.lastIndexOf('-'), 0));
  try {
    return await readPackageFile(packageName, `locale-data/${locale}.js`);
  } catch (error) {
    if (parent === '') throw error;
    return readNearest(packageName, parent);
  }
}
