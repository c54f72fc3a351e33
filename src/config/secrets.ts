import type { JsonPath, JsonSource } from './json-source.ts';

const SECRET_WORD = /^env$|environ|header|token|secret|passw|auth|credential|api_?key|cookie/i;

/** Whether the value at this path may be a secret: under `env` and `headers`, or under keys that look like them misspelled. */
export function isSecretPath(path: JsonPath): boolean {
  // The second word under mcpServers and principals is a name that the operator chose, not a kind of value.
  // What the server knows of an issuer is public: only clients have secrets there.
  if (path.length > 2 && path[0] === 'auth' && path[1] === 'oauth') return isSecretPath(path.slice(2));
  const isNamed = path[0] === 'mcpServers' || path[0] === 'principals';
  return path.some((word, index) => typeof word === 'string' && !(index === 1 && isNamed) && SECRET_WORD.test(word));
}

/** Whether any value that may be a secret touches the text between two offsets. */
export function hasSecretBetween(source: JsonSource, from: number, to: number): boolean {
  for (const [path, span] of source.spans) {
    if (span.start < to && span.end > from && isSecretPath(JSON.parse(path) as JsonPath)) return true;
  }
  return false;
}

/** A line with everything but its keys and punctuation starred out, as wide as before. */
export function maskLine(line: string): string {
  return line.replace(/"(?:[^"\\]|\\.)*(?:"|$)(\s*:)?|[^\s{}[\],:"]+/g, (token: string, colon: string | undefined) =>
    colon === undefined ? '*'.repeat(token.length) : token,
  );
}

/** A text with the user part and the query of every URL in it starred out, as wide as before. */
export function maskUrls(text: string): string {
  const stars = (token: string) => '*'.repeat(token.length);
  return text.replace(/(?<=:\/\/)[^\s"]*(?=@)/g, stars).replace(/(?<=:\/\/[^\s"?]*\?)[^\s"]+/g, stars);
}

/** A value for an error message: short, one line, and what may be secret in it left out. */
export function showValue(value: unknown, path: JsonPath): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return `an object with ${Object.keys(value).length} keys`;
  if (isSecretPath(path)) return `a ${value === null ? 'null' : typeof value} (hidden)`;
  const text = maskUrls(JSON.stringify(value));
  return text.length <= 60 ? text : `${text.slice(0, 56)}..."`;
}
