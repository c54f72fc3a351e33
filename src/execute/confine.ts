import { registerHooks, syncBuiltinESMExports } from 'node:module';

/** Members of `process` that reach out of the thread: other processes, native code, handles, identity. */
const PROCESS_MEMBERS = [
  'kill',
  '_kill',
  '_debugProcess',
  '_debugEnd',
  '_debugPause',
  'dlopen',
  'binding',
  '_linkedBinding',
  'getBuiltinModule',
  'mainModule',
  'execve',
  'abort',
  'chdir',
  'umask',
  'loadEnvFile',
  'openStdin',
  'stdin',
  'report',
  '_getActiveHandles',
  '_getActiveRequests',
  'setuid',
  'setgid',
  'seteuid',
  'setegid',
  'setgroups',
  'initgroups',
];
/** Globals that open connections, or reach other threads. */
const GLOBALS = ['fetch', 'WebSocket', 'EventSource', 'BroadcastChannel', 'navigator', 'localStorage', 'sessionStorage', 'Worker'];
/** Built-in modules whose functions are taken away where something has loaded them. Any other cannot be loaded any more. */
const MODULES = ['child_process', 'cluster', 'dgram', 'dns', 'http', 'http2', 'https', 'inspector', 'module', 'net', 'tls', 'v8', 'vm'];
/** Methods of the classes of these modules that open something, or make code of text or a file. */
const METHODS = ['connect', 'listen', 'bind', '_compile', 'load', 'require'];

/**
 * Takes from this thread, for good, what could reach out of it: loading modules, built-in ones too, sockets, signals to other
 * processes. Called once by each thread of the executor, after its own code is loaded and before any guest's is. What Node's
 * permission model denies stays denied beneath it; the network it denies only in newer versions.
 */
export function confineThread(): void {
  registerHooks({ resolve: refuse, load: refuse });
  const sync = syncBuiltinESMExports;
  for (const name of MODULES) emptyModule(name);
  sync();
  for (const name of PROCESS_MEMBERS) take(process, name);
  for (const name of GLOBALS) take(globalThis, name);
}

/** Only one that is there: loading it to empty it would take longer than all the rest. */
function emptyModule(name: string): void {
  const { moduleLoadList } = process as unknown as { moduleLoadList?: readonly string[] };
  if (moduleLoadList?.includes(`NativeModule ${name}`) === false) return;
  const members = process.getBuiltinModule(name) as object;
  for (const [key, member] of Object.entries(members)) {
    if (typeof member !== 'function') continue;
    closePrototype(member.prototype);
    Reflect.set(members, key, refuse);
  }
}

/** For classes that somebody has an instance of. */
function closePrototype(prototype: unknown): void {
  if (typeof prototype !== 'object' || prototype === null) return;
  for (const method of METHODS) if (method in prototype) take(prototype, method);
}

function take(from: object, name: string): void {
  if (!(name in from)) return;
  // Some members load a part of Node when they are looked at, also to be replaced: not if they are gone.
  Reflect.deleteProperty(from, name);
  Object.defineProperty(from, name, { value: undefined, writable: false, configurable: false, enumerable: false });
}

function refuse(): never {
  throw new Error('the executor is confined');
}
