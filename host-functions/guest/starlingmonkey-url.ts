import * as p from './primordials.ts';

type UrlClass = { new (url: unknown, base?: unknown): object; createObjectURL?: unknown; revokeObjectURL?: unknown };

/** The engine's URL lacks two functions of the standard and has two that only make sense with a network. */
export function completeUrl(): void {
  const { URL } = globalThis as unknown as { URL: UrlClass };
  delete URL.createObjectURL;
  delete URL.revokeObjectURL;
  const members = p.nameMembers({
    canParse: (url: unknown, base?: unknown): boolean => made(URL, url, base) !== null,
    parse: (url: unknown, base?: unknown): object | null => made(URL, url, base),
  });
  for (const [name, value] of Object.entries(members)) {
    p.defineProperty(URL, name, { value, writable: true, configurable: true, enumerable: true });
  }
}

function made(URL: UrlClass, url: unknown, base: unknown): object | null {
  try {
    return base === undefined ? new URL(url) : new URL(url, base);
  } catch {
    return null;
  }
}
