import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SandboxError } from '../errors.ts';
import type { SkillStore } from './skill-store.ts';

/** Ending of a file that is not whole yet, and how long it can be one, in milliseconds. */
const IN_WORK = '.new';
const IN_WORK_MS = 60_000;
/** Principals whose folder is known to be as it should. */
const MAX_KNOWN = 1_000;

export interface SkillFilesOptions {
  /** Folder with a folder for each principal. Made when the first one is needed. */
  readonly directory: string;
  readonly store: Pick<SkillStore, 'changes' | 'list' | 'mode'>;
}

/** The skills of each principal as files, so that programs can read them. */
export interface SkillFiles {
  /**
   * Name of the folder in `directory` that has the principal's skills as they are now; undefined for a script that reads none,
   * which costs nothing.
   * @throws SandboxError ERR_SKILL_STORE
   */
  folderFor(script: string, principal: string): string | undefined;
}

/** Files are written when a program that may read them finds the store changed. */
export function createSkillFiles({ directory, store }: SkillFilesOptions): SkillFiles {
  /** The store's count of changes that each folder is as new as. */
  const known = new Map<string, number>();
  return {
    folderFor(script, principal) {
      if (store.mode === 'off' || !script.includes('skills') || !script.includes('readFile')) return undefined;
      const folder = createHash('sha256').update(principal).digest('hex').slice(0, 32);
      const changes = store.changes();
      if (known.get(folder) === changes) return folder;
      try {
        update(join(directory, folder), new Map(store.list(principal).map(({ name, code }) => [`${name}.ts`, code])));
      } catch (cause) {
        throw new SandboxError('ERR_SKILL_STORE', 'The skills cannot be made readable as files.', { cause });
      }
      if (known.size >= MAX_KNOWN) known.clear();
      known.set(folder, changes);
      return folder;
    },
  };
}

/** Writes what differs, each file whole or not at all, and removes what is no more. */
function update(folder: string, files: ReadonlyMap<string, string>): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const name of readdirSync(folder)) {
    if (!files.has(name) && !isInWork(join(folder, name))) rmSync(join(folder, name), { force: true, recursive: true });
  }
  for (const [name, text] of files) {
    const path = join(folder, name);
    if (textOf(path) === text) continue;
    // A name of its own: another process may write the same file.
    const written = `${path}.${randomUUID()}${IN_WORK}`;
    writeFileSync(written, text, { mode: 0o600 });
    renameSync(written, path);
  }
}

/** Whether another process is about to write a file; one that was left behind is none. */
function isInWork(path: string): boolean {
  if (!path.endsWith(IN_WORK)) return false;
  const { mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { mtimeMs: 0 };
  return Date.now() - mtimeMs < IN_WORK_MS;
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
