import { isDeepStrictEqual } from 'node:util';
import { SandboxError } from '../errors.ts';

/** A state by its keys. A map, because the keys are a program's: `__proto__` is one like any other. */
type State = ReadonlyMap<string, unknown>;

/** What two runs that began with the same state have made of it. All JSON text of an object. */
export interface Merge {
  /** What the run began with. */
  readonly base: string;
  /** What the run made of it. */
  readonly changed: string;
  /** What is stored by now. */
  readonly present: string;
}

/**
 * Applies what a run changed to the present state, key by key at the top level. A key that is absent is a value too, so adding, replacing
 * and deleting are all changes. Where the present value is the one that the run began with, the run's is taken:
 * this is the state that runs one after the other would have left. Two that set a key to the same value conflict too: both may have counted
 * up from the same number.
 * @throws SandboxError ERR_SESSION_CONFLICT with the keys that another run has changed as well; ERR_EXECUTE_RESULT_INVALID
 */
export function mergeState(merge: Merge): string {
  const [base, changed, present] = [parse(merge.base), parse(merge.changed), parse(merge.present)];
  const keys = [...new Set([...base.keys(), ...changed.keys()])].filter((key) => !isSame(base, changed, key));
  const conflicts = keys.filter((key) => !isSame(present, base, key));
  if (conflicts.length > 0) throw conflict(conflicts);
  const merged = new Map(present);
  for (const key of keys) {
    if (changed.has(key)) merged.set(key, changed.get(key));
    else merged.delete(key);
  }
  return JSON.stringify(Object.fromEntries(merged));
}

/** Whether a key has the same JSON in both, whatever the order of members in it. */
function isSame(one: State, other: State, key: string): boolean {
  return one.has(key) === other.has(key) && isDeepStrictEqual(one.get(key), other.get(key));
}

function parse(text: string): State {
  const value = parseJson(text);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return new Map(Object.entries(value));
  throw new SandboxError('ERR_EXECUTE_RESULT_INVALID', 'The state of the session is not a JSON object.');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const SHOWN_KEYS = 10;
const KEY_CHARS = 64;

function conflict(keys: readonly string[]): SandboxError {
  const shown = keys.slice(0, SHOWN_KEYS).map((key) => JSON.stringify(key.length > KEY_CHARS ? `${key.slice(0, KEY_CHARS)}…` : key));
  const more = keys.length > SHOWN_KEYS ? ` and ${keys.length - SHOWN_KEYS} more` : '';
  const what = `${keys.length === 1 ? 'key' : 'keys'} ${shown.join(', ')}${more}`;
  const message = `Another run of the session changed the ${what} of its state while this one ran; this run's changes were not kept.`;
  return new SandboxError('ERR_SESSION_CONFLICT', message, {
    hint: 'Run it again: it begins with the newer state. Runs that go on at the same time do not disturb each other when they use keys of their own.',
  });
}
