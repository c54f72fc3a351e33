import type { ServerConfig } from '../config/schema.ts';

/** Below this many characters a value says nothing and would blank out ordinary words. */
const MIN_SECRET_LENGTH = 4;
const MAX_TEXT = 300;
// C0 and C1 controls, the line separators, and the marks that turn the direction of text around.
const CONTROLS = /[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]+/gu;

/** Makes text of strangers fit to be shown: one line, bounded, without what the operator's config keeps secret. */
export type Redact = (text: string, maxLength?: number) => string;

/**
 * Everything in a server's config that may be a secret: values of headers and environment, and all of a URL beyond its origin.
 * Beside it the tokens that `live` names at the moment.
 */
export function createRedact(config: ServerConfig, live: () => readonly string[] = () => []): Redact {
  const configured = ordered(secretsOf(config));
  return (text, maxLength = MAX_TEXT) => {
    // Cut before searching, so that a stranger's text cannot make this slow; far enough out that no secret is cut in half and shown.
    const start = text.slice(0, maxLength * 4 + 4096);
    const tokens = live();
    const secrets = tokens.length === 0 ? configured : ordered([...configured, ...tokens.flatMap(forms)]);
    const hidden = secrets.reduce((rest, secret) => rest.replaceAll(secret, '***'), start);
    const line = hidden.replace(CONTROLS, ' ').trim();
    return line.length > maxLength ? `${line.slice(0, maxLength)}...` : line;
  };
}

/** The text without any of the secrets, as they are and as JSON and URLs have them. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets.flatMap(forms).reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
}

/** Longest first, so that none is cut by a shorter one within it. */
function ordered(secrets: Iterable<string>): string[] {
  return [...new Set(secrets)].filter((secret) => secret.length >= MIN_SECRET_LENGTH).sort((a, b) => b.length - a.length);
}

function secretsOf(config: ServerConfig): Set<string> {
  if (config.type === 'stdio') return new Set(Object.values(config.env).flatMap(forms));
  const url = new URL(config.url);
  const parts = [config.url, url.href, url.username, url.password, url.search, ...url.searchParams.values()];
  const path = url.pathname.length > 1 ? [`${url.origin}${url.pathname}`] : [];
  // "Bearer abc" is secret as a whole and in its second word; the scheme's name alone is not.
  const headers = Object.values(config.headers).flatMap((value) => [value, ...value.split(/\s+/).filter((word) => word.length >= 8)]);
  const { clientSecret } = config.oauth ?? {};
  return new Set([...parts, ...path, ...headers, ...(clientSecret === undefined ? [] : [clientSecret])].flatMap(forms));
}

function forms(value: string): string[] {
  return [value, encodeURIComponent(value.toWellFormed()), JSON.stringify(value).slice(1, -1)];
}

/** A URL as it may be shown: scheme and host. Paths of MCP endpoints carry tokens in practice. */
export function shownUrl(url: string): string {
  return new URL(url).origin;
}
