/** What a process that works on strangers' texts or programs never needs, and somebody who took it over would. */
const SHUT = [
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

/** Flags that take from a process what its code does not use. */
export function shutFlags(): string[] {
  const known = process.allowedNodeEnvironmentFlags;
  return [...SHUT, ...LEFT_OUT.filter((name) => known.has(`--${name}`)).map((name) => `--no-${name}`)];
}
