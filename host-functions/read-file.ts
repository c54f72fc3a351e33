import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  opendirSync,
  readSync,
  readlinkSync,
  realpathSync,
  type Dirent,
  type Stats,
} from 'node:fs';
import { sep } from 'node:path';
import { HostFunctionError } from './host-error.ts';

const MAX_PATH = 1_024;
const MAX_NEAR_NAMES = 5;
const MAX_LISTED = 1_000;
// oxlint-disable-next-line no-control-regex -- names with control characters are what it refuses
const forbidden = /[\u0000-\u001f\u007f\\:%]/;
const FORM = 'a path has the form "<mount>/<file>", with "/" between names and no ".." in it';

/**
 * The bytes of a file under one of the mounts. The file is opened first and judged by what was opened, so that no swap of
 * links between the check and the reading can lead out of the mount. Messages name the virtual path only.
 * @param mounts virtual name to absolute host folder
 * @throws HostFunctionError ERR_FILE_PATH, ERR_FILE_NOT_FOUND, ERR_FILE_DENIED, ERR_FILE_TOO_LARGE
 */
export function readMountedFile(mounts: ReadonlyMap<string, string>, path: string, maxBytes: number): Uint8Array {
  const names = checkedNames(path);
  const [mount = '', ...rest] = names;
  const folder = mounts.get(mount);
  if (folder === undefined) throw unknownMount(mounts, mount);
  const file = [folder, ...rest].join(sep);
  let descriptor: number;
  try {
    // Not blocking: the opening of a pipe without a writer would wait for ever.
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw openError(error, mounts, names, folder);
  }
  try {
    const stats = checkOpened(descriptor, folder, file, path);
    return readBounded(descriptor, stats.size, maxBytes, path);
  } finally {
    closeSync(descriptor);
  }
}

function checkedNames(path: string): string[] {
  const names = path.split('/');
  const isWell = path.length <= MAX_PATH && path.isWellFormed() && !forbidden.test(path) && path.normalize('NFC') === path;
  if (isWell && names.length >= 2 && names.every((name) => name !== '' && name !== '.' && name !== '..')) return names;
  throw new HostFunctionError(
    'ERR_FILE_PATH',
    `readFile: ${JSON.stringify(path.slice(0, 200).toWellFormed())} is not a path of a mounted file`,
    FORM,
  );
}

function unknownMount(mounts: ReadonlyMap<string, string>, mount: string): HostFunctionError {
  const known = [...mounts.keys()].sort();
  const hint = known.length === 0 ? 'no folder is mounted here' : `the mounts are: ${known.slice(0, 20).join(', ')}`;
  return new HostFunctionError('ERR_FILE_NOT_FOUND', `readFile: there is no mount "${mount.slice(0, 100)}"`, hint);
}

function openError(error: unknown, mounts: ReadonlyMap<string, string>, names: string[], folder: string): HostFunctionError {
  const virtual = names.join('/');
  switch (String((error as NodeJS.ErrnoException).code)) {
    case 'ENOENT':
    case 'ENOTDIR':
    case 'ENAMETOOLONG':
      return new HostFunctionError('ERR_FILE_NOT_FOUND', `readFile: no file "${virtual}"`, nearNames(mounts, names, folder));
    case 'EISDIR':
      return notRegular(virtual);
    default:
      return new HostFunctionError('ERR_FILE_DENIED', `readFile: "${virtual}" cannot be read`);
  }
}

function notRegular(virtual: string): HostFunctionError {
  return new HostFunctionError('ERR_FILE_DENIED', `readFile: "${virtual}" is not a regular file`);
}

function checkOpened(descriptor: number, folder: string, file: string, virtual: string): Stats {
  const stats = fstatSync(descriptor);
  if (!stats.isFile()) throw notRegular(virtual);
  let isInside = false;
  try {
    isInside = isUnder(openedPath(descriptor, file, stats), realpathSync(folder));
  } catch {
    // The file or the mount went away meanwhile: nothing proves that it was inside.
  }
  if (!isInside) throw new HostFunctionError('ERR_FILE_DENIED', `readFile: "${virtual}" leads out of its mount`);
  return stats;
}

/** The real path of what was opened; without /proc, of what has the path now, if that is still the same file. */
function openedPath(descriptor: number, file: string, stats: Stats): string {
  if (process.platform === 'linux') return readlinkSync(`/proc/self/fd/${descriptor}`);
  const real = realpathSync(file);
  const now = lstatSync(real);
  if (now.dev !== stats.dev || now.ino !== stats.ino) throw new Error('the file was swapped');
  return real;
}

function isUnder(path: string, folder: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** Reads what the file had when it was opened: one that grows meanwhile is not followed. */
function readBounded(descriptor: number, size: number, maxBytes: number, virtual: string): Uint8Array {
  if (size > maxBytes) {
    throw new HostFunctionError(
      'ERR_FILE_TOO_LARGE',
      `readFile: "${virtual}" has ${size} bytes, more than ${maxBytes}`,
      'split the file, or ask the operator for a higher maxFileBytes',
    );
  }
  const bytes = new Uint8Array(size);
  let filled = 0;
  while (filled < size) {
    const count = readSync(descriptor, bytes, filled, size - filled, filled);
    if (count === 0) break;
    filled += count;
  }
  return filled === size ? bytes : bytes.slice(0, filled);
}

/** Names of the folder that was asked, those most like the missing one first. Only folders inside the mount are listed. */
function nearNames(mounts: ReadonlyMap<string, string>, names: string[], folder: string): string | undefined {
  const wanted = names.at(-1) ?? '';
  try {
    const real = realpathSync([folder, ...names.slice(1, -1)].join(sep));
    if (real !== realpathSync(folder) && !isUnder(real, realpathSync(folder))) return undefined;
    const listed = firstEntries(real)
      .filter((entry) => !forbidden.test(entry.name))
      .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name));
    const near = listed.toSorted((a, b) => likeness(b, wanted) - likeness(a, wanted) || (a < b ? -1 : 1)).slice(0, MAX_NEAR_NAMES);
    return near.length === 0 ? 'that folder is empty' : `there are: ${near.join(', ')}`;
  } catch {
    return `that folder does not exist; the mounts are: ${[...mounts.keys()].slice(0, 20).join(', ')}`;
  }
}

/** Some of a folder's entries: one of a million would take seconds to list, during which nothing else on this thread goes on. */
function firstEntries(folder: string): Dirent[] {
  const entries: Dirent[] = [];
  const open = opendirSync(folder);
  try {
    for (let entry = open.readSync(); entry && entries.length < MAX_LISTED; entry = open.readSync()) entries.push(entry);
  } finally {
    open.closeSync();
  }
  return entries;
}

/** How many two-letter pieces two names share. */
function likeness(name: string, wanted: string): number {
  const pieces = new Set<string>();
  const lower = wanted.toLowerCase();
  for (let i = 0; i + 2 <= lower.length; i++) pieces.add(lower.slice(i, i + 2));
  const other = name.toLowerCase();
  let shared = 0;
  for (let i = 0; i + 2 <= other.length; i++) if (pieces.has(other.slice(i, i + 2))) shared++;
  return shared;
}
