const NETWORK = 'There is no network: call a tool of a server, `import * as name from "servers/<name>"`.';
const TYPED_ARRAYS = 'Use `Uint8Array`, `TextEncoder` and `TextDecoder`; base64 is `btoa` and `atob`.';
const NO_MODULES = 'Write `import * as name from "..."` at the top of the code.';
const NO_BROWSER = 'There is no browser: data comes from `input` and from the tools of "servers/<name>".';
const NO_PROCESS = 'There is no process and no environment: pass values as `input`.';
const NO_FILES = 'Read the operator\'s files with `readFile` from "ampoule".';
const NO_STORAGE = 'Keep data for later runs with `getState` and `setState` from "ampoule".';
const NO_THREADS = 'There are no threads: `Promise.all` lets tool calls overlap.';

/** What to use in the place of a global that programs know from browsers and from Node. */
const ADVICE: ReadonlyMap<string, string> = new Map([
  ...each(['fetch', 'XMLHttpRequest', 'WebSocket', 'EventSource', 'Request', 'Response', 'Headers', 'axios'], NETWORK),
  ...each(['Buffer', 'Blob', 'File', 'FileReader', 'FormData'], TYPED_ARRAYS),
  ...each(['require', 'module', 'exports', 'importScripts', 'define'], NO_MODULES),
  ...each(
    ['window', 'document', 'navigator', 'location', 'history', 'self', 'alert', 'DOMParser', 'HTMLElement', '$', 'jQuery'],
    NO_BROWSER,
  ),
  ...each(['prompt', 'confirm'], 'Nobody can be asked while the code runs: take it from `input`.'),
  ...each(['process', 'Deno', 'Bun'], NO_PROCESS),
  ...each(['fs', '__dirname', '__filename'], NO_FILES),
  ...each(['localStorage', 'sessionStorage', 'indexedDB', 'caches'], NO_STORAGE),
  ...each(['Worker', 'SharedWorker', 'MessageChannel', 'BroadcastChannel'], NO_THREADS),
  ['global', 'Write `globalThis`.'],
  ['requestAnimationFrame', 'Use `setTimeout`, or `sleep` from "ampoule".'],
  ...each(['SharedArrayBuffer', 'Atomics'], 'There is no shared memory: use `ArrayBuffer`.'),
  ...each(
    [
      'ReadableStream',
      'WritableStream',
      'TransformStream',
      'TextDecoderStream',
      'TextEncoderStream',
      'CompressionStream',
      'DecompressionStream',
    ],
    'There are no streams: work on whole values, and decode parts with `new TextDecoder().decode(part, { stream: true })`.',
  ),
  ['URLPattern', 'Use `URL` and a regular expression with named groups.'],
  ['WebAssembly', 'There is no WebAssembly inside of the sandbox.'],
  ['callTool', 'Import it: `import { callTool } from "ampoule"`.'],
  ['readFile', 'Import it: `import { readFile } from "ampoule"`.'],
  ['getState', 'Import it: `import { getState } from "ampoule"`.'],
  ['setState', 'Import it: `import { setState } from "ampoule"`.'],
  ['ToolError', 'Import it: `import { ToolError } from "ampoule"`.'],
  ['log', 'Use `console.log`, or `import { log } from "ampoule"`.'],
  ['sleep', 'Import it: `import { sleep } from "ampoule"`.'],
]);

/** One sentence on what to use instead of a name that programs elsewhere find in the global scope. */
export function adviseGlobal(name: string): string | undefined {
  return ADVICE.get(name);
}

function each(names: readonly string[], advice: string): [string, string][] {
  return names.map((name) => [name, advice]);
}
