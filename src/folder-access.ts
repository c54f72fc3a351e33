import { stat } from 'node:fs/promises';

const OTHERS_WRITE = 0o022;

/**
 * Why others than the owner of this process can write to a folder, or undefined when they cannot. Never throws: a folder that is not there
 * is nobody's.
 */
export async function writersOf(path: string): Promise<string | undefined> {
  if (process.getuid === undefined) return undefined;
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  const { uid, mode } = found;
  if (uid !== process.getuid() && uid !== 0) return `it belongs to the user ${uid}`;
  return (mode & OTHERS_WRITE) === 0 ? undefined : `its permissions are ${(mode & 0o777).toString(8)}`;
}
