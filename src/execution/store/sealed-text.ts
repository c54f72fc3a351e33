import { hash } from 'blake3';

/** Enough to notice any damage; nobody is kept from forging here, who can write to the file may do anything. */
const SEAL_BYTES = 16;
/** What a text takes more when it is sealed, if no literal was taken out of it: its seal, and the empty table of literals. */
export const SEALED_BYTES = SEAL_BYTES + '[]\n'.length;
const TEXT_HASH_BYTES = 32;
/** Shorter literals are not worth a row of their own, in characters. */
const MIN_LITERAL = 1_024;
const QUOTE = '"';
const BACKSLASH = 92;

/** A text without its long literals, and where those belong. */
export interface SplitText {
  readonly glue: string;
  /** `at`: where in the glue, in UTF-16 units. The texts are as in the JSON, without the quotes. */
  readonly literals: readonly { readonly at: number; readonly text: string }[];
}

/**
 * Takes the long string literals out of JSON text. Programs, inputs and answers are such literals, also when they are JSON texts inside of JSON,
 * and come back in many executions. Reads no grammar: what is between two quotes is as good as a literal, because the text is put together again as
 * it was.
 */
export function splitText(text: string): SplitText {
  if (text.length < MIN_LITERAL) return { glue: text, literals: [] };
  const literals: { at: number; text: string }[] = [];
  const glue: string[] = [];
  let [done, at] = [0, 0];
  for (let open = text.indexOf(QUOTE); open !== -1;) {
    const close = closingQuote(text, open + 1);
    if (close === -1) break;
    if (close - open > MIN_LITERAL) {
      glue.push(text.slice(done, open + 1));
      at += open + 1 - done;
      literals.push({ at, text: text.slice(open + 1, close) });
      done = close;
    }
    open = text.indexOf(QUOTE, close + 1);
  }
  glue.push(text.slice(done));
  return { glue: glue.join(''), literals };
}

/** A text that is one literal, as a program is, whatever is in it. */
export function wholeText(text: string): SplitText {
  return text.length < MIN_LITERAL ? { glue: text, literals: [] } : { glue: '', literals: [{ at: 0, text }] };
}

function closingQuote(text: string, from: number): number {
  for (let quote = text.indexOf(QUOTE, from); quote !== -1; quote = text.indexOf(QUOTE, quote + 1)) {
    let slashes = 0;
    while (text.charCodeAt(quote - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return quote;
  }
  return -1;
}

/** What a literal is found by. */
export function textHash(text: string): Buffer {
  return digest(text, TEXT_HASH_BYTES);
}

/** Glue and the hashes of what is missing in it, with a seal. @param place - what it is and of what, so that no part can stand for another */
export function seal(place: string, glue: string, literals: readonly { readonly at: number; readonly hash: Uint8Array }[]): Buffer {
  const table = JSON.stringify(literals.map(({ at, hash: found }) => [at, Buffer.from(found).toString('hex')]));
  const body = Buffer.from(`${table}\n${glue}`);
  return Buffer.concat([sealOf(place, body), body]);
}

/** A sealed text again. @param literalOf - finds a literal @returns undefined when anything is not as it was */
export function unseal(place: string, content: Uint8Array, literalOf: (hash: Buffer) => string | undefined): string | undefined {
  const body = Buffer.from(content.buffer, content.byteOffset, content.byteLength).subarray(SEAL_BYTES);
  if (!sealOf(place, body).equals(content.subarray(0, SEAL_BYTES))) return undefined;
  const text = body.toString('utf8');
  const line = text.indexOf('\n');
  const literals = JSON.parse(text.slice(0, line)) as [number, string][];
  const glue = text.slice(line + 1);
  const pieces: string[] = [];
  let done = 0;
  for (const [at, hex] of literals) {
    const literal = literalOf(Buffer.from(hex, 'hex'));
    if (literal === undefined) return undefined;
    pieces.push(glue.slice(done, at), literal);
    done = at;
  }
  pieces.push(glue.slice(done));
  return pieces.join('');
}

function sealOf(place: string, body: Buffer): Buffer {
  return digest(Buffer.concat([Buffer.from(`${place}\n`), body]), SEAL_BYTES);
}

/** Without an object for each hash, as `createHash` has it: that takes three times as long for a short text. */
function digest(data: string | Uint8Array, length: number): Buffer {
  const found = hash(data, { length });
  return typeof found === 'string' ? Buffer.from(found, 'hex') : found;
}
