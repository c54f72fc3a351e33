import { closeSync, constants, fdatasyncSync, fstatSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import type { AuditLine } from './audit-event.ts';
import { lineText } from './audit-text.ts';

/** Without O_NONBLOCK a pipe would hold up everything. It is read for its last character alone. */
const FLAGS = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;

const NEWLINE = 0x0a;
/** Of one write. */
const GROUP_CHARS = 32 * 1024;

/** A file of lines, each one JSON object. */
export interface AuditFile {
  /** Appends lines, whole ones with each write. @returns how many were written before the first that could not be, with its error */
  write(lines: readonly AuditLine[]): { readonly written: number; readonly error?: unknown };
  /** Waits until the disk has what was written. @throws the error of the file system */
  sync(): void;
  close(): void;
}

/** Opened at the first write, and again when another file is in its place: so it can be rotated at any time. Made for its owner alone. */
export function openAuditFile(path: string): AuditFile {
  let fd: number | undefined;
  /** The last line was cut off, by a full disk or the end of a process: the next one does not go on with it. */
  let isTorn = false;
  const close = (): void => {
    if (fd !== undefined) closeSync(fd);
    fd = undefined;
  };
  const open = (): number => {
    if (fd !== undefined && !isSame(fd, path)) close();
    if (fd === undefined) {
      fd = openSync(path, FLAGS, 0o600);
      const found = fstatSync(fd);
      if (!found.isFile()) {
        close();
        throw new Error(`${path} is no regular file`);
      }
      isTorn = !endsWithLine(fd, found.size);
    }
    return fd;
  };
  return {
    write: (lines) => {
      let written = 0;
      try {
        const file = open();
        for (const group of groupsOf(lines)) {
          const first = isTorn ? '\n' : '';
          const bytes = Buffer.from(`${first}${group.join('')}`);
          const done = writeSync(file, bytes);
          if (done > 0) isTorn = bytes[done - 1] !== NEWLINE;
          if (done < bytes.length) {
            written += linesIn(bytes.subarray(first.length, done));
            throw new Error(`only ${done} of ${bytes.length} bytes could be written`);
          }
          written += group.length;
        }
        return { written };
      } catch (error) {
        return { written, error };
      }
    },
    sync: () => {
      if (fd !== undefined) fdatasyncSync(fd);
    },
    close,
  };
}

/** Texts of lines that go together: what others append at the same time is before or behind them, and each write costs. */
function* groupsOf(lines: readonly AuditLine[]): Iterable<string[]> {
  let group: string[] = [];
  let chars = 0;
  for (const line of lines) {
    const text = `${lineText(line)}\n`;
    if (group.length > 0 && chars + text.length > GROUP_CHARS) {
      yield group;
      group = [];
      chars = 0;
    }
    group.push(text);
    chars += text.length;
  }
  if (group.length > 0) yield group;
}

function linesIn(bytes: Uint8Array): number {
  return bytes.filter((byte) => byte === NEWLINE).length;
}

function endsWithLine(fd: number, size: number): boolean {
  if (size === 0) return true;
  const last = Buffer.alloc(1);
  readSync(fd, last, 0, 1, size - 1);
  return last[0] === NEWLINE;
}

/** Whether the path still leads to the file. */
function isSame(fd: number, path: string): boolean {
  const there = statSync(path, { throwIfNoEntry: false });
  const open = fstatSync(fd);
  return there?.ino === open.ino && there.dev === open.dev;
}
