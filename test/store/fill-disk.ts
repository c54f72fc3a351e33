import { closeSync, openSync, rmSync, writeSync } from 'node:fs';

/** Fills the disk that a file is on, with the file. @param left so many bytes stay free */
export function fillDisk(file: string, left = 0): void {
  const filled = fill(file);
  if (left === 0) return;
  rmSync(file);
  const descriptor = openSync(file, 'w');
  writeSync(descriptor, Buffer.alloc(Math.max(0, filled - left)));
  closeSync(descriptor);
}

/** To the last byte. @returns how many there were */
function fill(file: string): number {
  const descriptor = openSync(file, 'w');
  let filled = 0;
  for (let bytes = 65_536; bytes >= 1; bytes = Math.floor(bytes / 2)) {
    try {
      for (;;) filled += writeSync(descriptor, Buffer.alloc(bytes));
    } catch {
      // Smaller pieces may still fit.
    }
  }
  closeSync(descriptor);
  return filled;
}
