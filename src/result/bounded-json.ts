import { SandboxError } from '../errors.ts';

/** How much JSON the host is willing to build from text that it does not trust. */
export interface JsonBounds {
  /** UTF-8 bytes of the text. */
  readonly maxBytes: number;
  /** Containers inside each other; a plain value has depth 0. */
  readonly maxDepth: number;
  /** Values of every kind, containers included. */
  readonly maxNodes: number;
}

const QUOTE = 34;
const BACKSLASH = 92;
const COMMA = 44;

/**
 * Parses JSON text of a guest. Nothing is built before one pass over the text has shown that it is within all bounds;
 * `what` names the value in errors. A key such as `__proto__` becomes a plain own property.
 * @throws SandboxError ERR_EXECUTE_RESULT_TOO_LARGE when a bound is passed, ERR_EXECUTE_RESULT_INVALID when it is not JSON.
 */
export function parseBoundedJson(text: string, bounds: JsonBounds, what = 'result'): unknown {
  checkJsonBounds(text, bounds, what);
  return parseMeasured(text, what);
}

/**
 * Parses JSON text whose size is known to be harmless.
 * @throws SandboxError ERR_EXECUTE_RESULT_INVALID when it is not JSON
 */
export function parseMeasured(text: string, what = 'result'): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SandboxError('ERR_EXECUTE_RESULT_INVALID', `The ${what} is not valid JSON.`, { cause });
  }
}

/**
 * The pass alone, for JSON that is kept as text. It does not prove that the text is JSON.
 * @throws SandboxError ERR_EXECUTE_RESULT_TOO_LARGE when a bound is passed.
 */
export function checkJsonBounds(text: string, bounds: JsonBounds, what = 'result'): void {
  const bytes = text.length > bounds.maxBytes ? text.length : Buffer.byteLength(text);
  if (bytes > bounds.maxBytes) throw tooLarge(what, `at least ${bytes} bytes`, `${bounds.maxBytes} bytes`, 'a smaller value');
  const { depth, nodes } = scan(text, bounds);
  if (depth > bounds.maxDepth) throw tooLarge(what, 'nested too deeply', `${bounds.maxDepth} levels`, 'a flatter value');
  if (nodes > bounds.maxNodes) throw tooLarge(what, 'made of too many values', `${bounds.maxNodes} values`, 'fewer values, or one string');
}

/** Whether a text is within all bounds. */
export function fitsBounds(text: string, bounds: JsonBounds): boolean {
  if (text.length > bounds.maxBytes || Buffer.byteLength(text) > bounds.maxBytes) return false;
  const { depth, nodes } = scan(text, bounds);
  return depth <= bounds.maxDepth && nodes <= bounds.maxNodes;
}

function tooLarge(what: string, found: string, limit: string, fix: string): SandboxError {
  return new SandboxError('ERR_EXECUTE_RESULT_TOO_LARGE', `The ${what} is ${found}; the limit is ${limit}.`, { hint: `Return ${fix}.` });
}

/** Greatest depth and number of values of JSON text; stops early once a bound is passed. */
function scan(text: string, bounds: JsonBounds): { depth: number; nodes: number } {
  let depth = 0;
  let deepest = 0;
  let nodes = 1;
  let justOpened = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code <= 32) continue;
    const closes = code === 93 || code === 125;
    if (justOpened && !closes) nodes++;
    justOpened = code === 91 || code === 123;
    if (code === QUOTE) at = endOfString(text, at);
    else if (code === COMMA) nodes++;
    else if (closes) depth--;
    else if (justOpened && ++depth > deepest) deepest = depth;
    if (deepest > bounds.maxDepth || nodes > bounds.maxNodes) break;
  }
  return { depth: deepest, nodes };
}

/** Index of the quote that ends the string beginning at `start`, or of the end of the text. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at++;
    else if (code === QUOTE) return at;
  }
  return text.length;
}
