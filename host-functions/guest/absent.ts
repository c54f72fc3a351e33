import { hasOwn, regExpExec } from './primordials.ts';

/** Globals that people expect and a sealed program does not have, and what to use instead. */
const INSTEAD: Record<string, string> = {
  fetch: 'there is no network here: call a tool of a connected server, `import * as x from "servers/<server>"`',
  XMLHttpRequest: 'there is no network here: call a tool of a connected server, `import * as x from "servers/<server>"`',
  WebSocket: 'there is no network here: call a tool of a connected server, `import * as x from "servers/<server>"`',
  process: 'there is no process or environment here: what the program needs comes in as `input`',
  require: 'use `import`: of "servers/<server>", of "ampoule", or of a library that the operator allows',
  module: 'use `export default` or a top-level `return` for the result',
  exports: 'use `export default` or a top-level `return` for the result',
  Buffer: 'use Uint8Array with TextEncoder, TextDecoder, atob and btoa',
  __dirname: 'there is no file system here: `import { readFile } from "ampoule"` reads the mounted files',
  __filename: 'there is no file system here: `import { readFile } from "ampoule"` reads the mounted files',
  Deno: 'this is not Deno: `import { readFile, callTool } from "ampoule"` is all that reaches out',
  Bun: 'this is not Bun: `import { readFile, callTool } from "ampoule"` is all that reaches out',
  WebAssembly: 'programs run inside WebAssembly and cannot load more of it: use plain JavaScript',
  SharedArrayBuffer: 'there are no threads here: use ArrayBuffer',
  Atomics: 'there are no threads here: ordinary reads and writes are enough',
  Worker: 'there are no threads here: run things one after the other, or overlap tool calls with Promise.all',
  window: 'this is not a browser: use globalThis',
  document: 'this is not a browser: parse text with string methods, or with a library that the operator allows',
  localStorage: 'use `getState()` of "ampoule": what is changed in it is there in the next run of the session',
  navigator: 'this is not a browser',
  Temporal: 'use Date',
  alert: 'use console.log',
  setState: 'import it: `import { setState } from "ampoule"`',
  callTool: 'import it: `import { callTool } from "ampoule"`',
  readFile: 'import it: `import { readFile } from "ampoule"`',
  getState: 'import it: `import { getState } from "ampoule"`',
};
const patterns = [
  /^([A-Za-z_$][\w$]*) is not defined$/,
  /(?:globalThis|self)\.([A-Za-z_$][\w$]*) is (?:undefined|not a function|not a constructor)/,
  /^([A-Za-z_$][\w$]*) is not a (?:function|constructor)$/,
];

/** What to use instead of the global that an engine's message says is missing; undefined when it is about something else. */
export function hintForAbsent(message: string): string | undefined {
  for (let i = 0; i < patterns.length; i++) {
    const name = regExpExec(patterns[i], message)?.[1];
    if (name !== undefined && hasOwn(INSTEAD, name)) return INSTEAD[name];
  }
  return undefined;
}

const accessPattern = /\b(?:globalThis|self)\??\.([A-Za-z_$][\w$]*)/;

/** The same for an engine whose messages do not name what is missing: from the line of source that failed. */
export function hintForLine(line: string): string | undefined {
  const name = regExpExec(accessPattern, line)?.[1];
  return name !== undefined && hasOwn(INSTEAD, name) && !hasOwn(globalThis, name) ? INSTEAD[name] : undefined;
}
