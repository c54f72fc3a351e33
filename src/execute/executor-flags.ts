import { CODE_ACCESS } from './code-access.ts';

/** What makes an engine fast. Changes no result. */
const SPEED = [
  // The meter marks its calls of the host as unlikely; with the hints in use metering costs half.
  '--experimental-wasm-branch-hinting',
  // The garbage collector takes a dropped instance for a small object, so workers ask it to look; see `instance-pool.ts`.
  '--expose-gc',
];

/** What the executor never needs, and somebody who took it over would. */
const SHUT = [
  '--disallow-code-generation-from-strings',
  '--disable-proto=delete',
  '--disable-sigusr1',
  // Node warns of `--allow-worker`: a worker can be started with more rights than its parent. Ours get fewer, and cannot start any.
  '--disable-warning=PERM0006',
];
/** Modules and globals that only some versions of Node have, and can leave out. */
const LEFT_OUT = [
  'experimental-sqlite',
  'experimental-websocket',
  'experimental-global-navigator',
  'experimental-webstorage',
  'experimental-ffi',
];

/** How the executor process is started: under Node's permission model, with no right but to read its code and start its workers. */
export function executorFlags(): string[] {
  const known = process.allowedNodeEnvironmentFlags;
  const leftOut = LEFT_OUT.filter((name) => known.has(`--${name}`)).map((name) => `--no-${name}`);
  return [...SPEED, ...SHUT, ...leftOut, ...CODE_ACCESS, '--allow-worker'];
}
