import { accessSync, constants, statSync, type Stats } from 'node:fs';

/**
 * Names the file itself, and not its path; "" for none. Another name means that an open database is not what is there now. Where
 * nobody here can write, a database is read as if it never changed: there a change by somebody who can, outside of a container for one,
 * makes another name as well.
 */
export function fileState(file: string): string {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined) return '';
  const name = `${found.dev}:${found.ino}`;
  if (!isOnReadOnlyDisk(file)) return name;
  return [name, ...[found, statSync(`${file}-wal`, { throwIfNoEntry: false })].map(version)].join(' ');
}

function version(found: Stats | undefined): string {
  return found === undefined ? '' : `${found.mtimeMs}:${found.size}`;
}

function isOnReadOnlyDisk(file: string): boolean {
  try {
    accessSync(file, constants.W_OK);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EROFS';
  }
}
