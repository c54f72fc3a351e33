/** A value as text, with U+FFFD for what is no Unicode scalar value. @throws TypeError for a symbol */
export function scalar(value: unknown): string {
  if (typeof value === 'symbol') throw new TypeError('a symbol cannot become text');
  return String(value).toWellFormed();
}
