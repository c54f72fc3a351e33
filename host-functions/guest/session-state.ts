import { getState as hostGetState } from './host.ts';
import { type JsonText, toJsonText } from './json.ts';
import * as p from './primordials.ts';
import { run } from './run.ts';

let initial = '';
let live: object | null = null;

/** The session's state as a live object, the same at every call in a run. */
export function getState(): object {
  if (live === null) {
    initial = hostGetState();
    const parsed: unknown = p.parseJson(initial === '' ? '{}' : initial);
    live = typeof parsed === 'object' && parsed !== null && !p.isArray(parsed) ? parsed : {};
  }
  return live;
}

/** Sets one member of {@link getState}'s object; undefined removes it. */
export function setState(key: unknown, value: unknown): void {
  if (typeof key !== 'string') throw new p.NativeTypeError('setState: key is not a string');
  const state = getState();
  if (value === undefined) delete (state as Record<string, unknown>)[key];
  else p.defineProperty(state, key, p.plain({ value, writable: true, enumerable: true, configurable: true }));
}

/** The changed state as JSON text, "" when the program did not ask for it or left it as it was. */
export function changedState(): JsonText {
  if (live === null) return { problem: null, text: '' };
  const state = toJsonText(live, 'state', run.options.maxStateBytes);
  if (state.problem !== null) return state;
  if (p.charCodeAt(state.text, 0) !== 0x7b) {
    return { problem: 'invalid', message: 'state is not an object', hint: 'leave toJSON out of it' };
  }
  return state.text === initial || state.text === normalized(initial) ? { problem: null, text: '' } : state;
}

function normalized(text: string): string {
  const again = toJsonText(p.parseJson(text === '' ? '{}' : text), 'state', run.options.maxStateBytes);
  return again.problem === null ? again.text : '';
}

export function forgetState(): void {
  initial = '';
  live = null;
}
