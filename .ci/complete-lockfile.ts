import { readFileSync, writeFileSync } from 'node:fs';

/**
 * npm leaves an optional package out of the lock file when the registry in use does not have it, and `npm ci` then refuses the lock
 * file. Native packages for other platforms are the usual case. This adds them by name, version and platform, which is all that npm
 * needs to skip them here and to install them there. Run it after every `npm install`: `npm run lockfile`.
 */

interface LockedPackage {
  version?: string;
  dev?: boolean;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  optionalDependencies?: Record<string, string>;
}

const file = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(file, 'utf8')) as { packages: Record<string, LockedPackage> };

for (const [parent, { optionalDependencies = {}, dev }] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    if (isLocked(parent, name, version)) continue;
    lock.packages[placeOf(parent, name)] = { version, ...(dev === true ? { dev } : {}), optional: true, ...platformOf(name) };
  }
}
const sorted = Object.entries(lock.packages).toSorted(([a], [b]) => (a < b ? -1 : 1));
writeFileSync(file, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`);

/** Whether Node's resolution from `parent` finds the package in the lock file, in that version where it is an exact one. */
function isLocked(parent: string, name: string, version: string): boolean {
  const folders = parent
    .split('/node_modules/')
    .map((_, depth, parts) => `${parts.slice(0, parts.length - depth).join('/node_modules/')}/`);
  const found = [...folders, '']
    .map((folder) => lock.packages[`${folder === '/' ? '' : folder}node_modules/${name}`])
    .find((locked) => locked !== undefined);
  return found !== undefined && (!/^\d/.test(version) || found.version === version);
}

/** Beside the package that wants it, as npm does it. */
function placeOf(parent: string, name: string): string {
  const folder = parent.slice(0, parent.lastIndexOf('node_modules/'));
  return `${folder}node_modules/${name}`;
}

/** What the name of a native package says of its platform: `binding-linux-x64-musl`. */
function platformOf(name: string): Pick<LockedPackage, 'os' | 'cpu' | 'libc'> {
  const words = name.split(/[/-]/);
  const os = words.find((word) => ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32'].includes(word));
  const cpu = words.find((word) => ['arm64', 'x64', 'arm', 'ppc64', 'riscv64', 's390x', 'ia32', 'loong64', 'wasm32'].includes(word));
  const libc = words.some((word) => word.startsWith('musl')) ? 'musl' : words.some((word) => word.startsWith('gnu')) ? 'glibc' : undefined;
  return {
    ...(cpu === undefined ? {} : { cpu: [cpu] }),
    ...(os === undefined ? {} : { os: [os] }),
    ...(libc === undefined ? {} : { libc: [libc] }),
  };
}
