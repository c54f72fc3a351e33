import { DEFAULT_LOCALE, LOCALES, TEXTS } from 'ampoule:language';
import { lazily } from './lazily.ts';

/** The locale that programs get when they name none, or one that is not there. */
export const defaultLocale: string = DEFAULT_LOCALE;

/** Every tag that has data, with the tag of the locale whose data it is. */
export const dataTags = new Map<string, string>();
for (const { tag, tags } of LOCALES) for (const name of tags) if (!dataTags.has(name) || name === tag) dataTags.set(name, tag);

export const availableLocales = new Set(dataTags.keys());

const parsed = new Map<string, () => unknown>();
for (const kind of Object.keys(TEXTS)) {
  for (const tag of Object.keys(TEXTS[kind])) {
    parsed.set(
      `${kind} ${tag}`,
      lazily(() => JSON.parse(TEXTS[kind][tag])),
    );
  }
}

/** The data of a kind for a tag of {@link dataTags}, parsed when it is first asked for. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the kind says the type
export function localeData<T>(kind: string, tag: string): T {
  return parsed.get(`${kind} ${dataTags.get(tag)}`)?.() as T;
}

/** The same as an object with a member for each tag. */
export function localeDataOf(kind: string, complete: (data: never, tag: string) => object = (data) => data): Record<string, object> {
  const all: Record<string, object> = {};
  for (const tag of availableLocales) {
    const get = lazily(() => complete(localeData(kind, tag), tag));
    Object.defineProperty(all, tag, { get, enumerable: true });
  }
  return all;
}
