import type { CallAnswer } from '../call.ts';
import { withoutSecrets } from '../redact.ts';
import type { LiveLogin } from './live-login.ts';

/** A page of a list of tools, as {@link withoutTokens} has answers. */
export function pageWithoutTokens(page: unknown, login: LiveLogin | undefined): unknown {
  const secrets = login?.secrets() ?? [];
  if (secrets.length === 0) return page;
  const text = JSON.stringify(page);
  return text !== undefined && has(text, secrets) ? JSON.parse(withoutSecrets(text, secrets)) : page;
}

/** An answer of a tool, as a program may have it: a server that answers with the token that we sent it does not hand it to the program. */
export function withoutTokens(answer: CallAnswer, login: LiveLogin | undefined): CallAnswer {
  const secrets = login?.secrets() ?? [];
  if (secrets.length === 0) return answer;
  if (answer.ok) return has(answer.value, secrets) ? { ok: true, value: withoutSecrets(answer.value, secrets) } : answer;
  const { whole, ...error } = answer.error;
  const text = JSON.stringify(error);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same error, with stars in its strings
  const clean = has(text, secrets) ? (JSON.parse(withoutSecrets(text, secrets)) as typeof error) : error;
  return { ok: false, error: whole === undefined ? clean : { ...clean, whole: cleanBytes(whole, secrets) } };
}

function has(text: string, secrets: readonly string[]): boolean {
  return searched(secrets).some((secret) => text.includes(secret));
}

/** As they are, as URLs have them, and as JSON has them; mostly these are the same. */
function searched(secrets: readonly string[]): string[] {
  return [...new Set(secrets.flatMap((secret) => [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]))];
}

function cleanBytes(bytes: Uint8Array, secrets: readonly string[]): Uint8Array {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!searched(secrets).some((secret) => buffer.includes(secret))) return bytes;
  return Buffer.from(withoutSecrets(buffer.toString('utf8'), secrets));
}
