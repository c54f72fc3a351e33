const COMMA = 0x2c;
const BRACKET = 0x5b;
const BRACE = 0x7b;

/**
 * Most values that one message may hold. Parsed, each takes tens of bytes and more: without this, a message of commas and
 * brackets that is within the size limit would take gigabytes and seconds.
 */
export const MAX_MESSAGE_ELEMENTS = 3_000_000;

/** About how many values there are in a piece of JSON text. Punctuation inside strings counts as well, which the bound leaves room for. */
export function countElements(json: Uint8Array): number {
  let count = 0;
  for (const byte of json) if (byte === COMMA || byte === BRACKET || byte === BRACE) count++;
  return count;
}
