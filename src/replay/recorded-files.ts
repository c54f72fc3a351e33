import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hash } from 'blake3';
import { HostFunctionError } from '../../host-functions/host-error.ts';
import { readKeptResult } from '../../host-functions/kept-result.ts';
import { readMountedFile } from '../../host-functions/read-file.ts';
import { SandboxError } from '../errors.ts';
import type { Recording } from './recording.ts';

/** Virtual name to absolute folder. */
export type Mounts = Readonly<Record<string, string>>;

type Folders = Pick<Recording, 'results' | 'skills'>;

const SCHEME = 'ampoule://';
/** Later than anybody replays anything, in milliseconds since 1970. */
const NEVER = Number.MAX_SAFE_INTEGER;

/**
 * Copies what a run has read to a folder in which each mount is a folder of its own, so that a run with these mounts reads the same.
 * @throws SandboxError ERR_EXECUTION_DIVERGED when a file is not any more what the run has read
 */
export async function copyFiles(recording: Recording, mounts: Mounts, target: string): Promise<void> {
  // Read twice with two contents: then one of the two is not there any more.
  for (const { path, hash: expected } of recording.files) {
    if (expected === '') continue;
    if (hashOf(recording, mounts, path) !== expected) throw changed(path);
    for (const file of filesBehind(recording, path)) await copyFile(file, mounts, target);
  }
}

function hashOf({ results, skills, limits }: Recording, mounts: Mounts, path: string): string | undefined {
  try {
    return hash(readAgain({ results, skills }, mounts, path, limits.maxFileBytes)).toString('hex');
  } catch (error) {
    if (error instanceof HostFunctionError) return undefined;
    throw error;
  }
}

/** As the program's own `readFile`. */
function readAgain(folders: Folders, mounts: Mounts, name: string, maxBytes: number): Uint8Array {
  const [mount, rest] = splitPath(name);
  const folder = privateFolder(folders, mounts, mount);
  if (mount === 'results') return readKeptResult(folder, rest, maxBytes);
  if (mount === 'skills') return readMountedFile(new Map(folder === undefined ? [] : [[mount, folder]]), `${mount}/${rest}`, maxBytes);
  return readMountedFile(new Map(Object.entries(mounts)), `${mount}/${rest}`, maxBytes);
}

function privateFolder(folders: Folders, mounts: Mounts, mount: string): string | undefined {
  const [root, own] = [mounts[mount], mount === 'results' ? folders.results : folders.skills];
  return root === undefined || own === undefined ? undefined : join(root, own);
}

/** A kept result is two files, whatever part of it was read. */
function filesBehind({ results, skills }: Folders, name: string): { mount: string; rest: string; isForm: boolean }[] {
  const [mount, rest] = splitPath(name);
  if (mount !== 'results') return [{ mount, rest: mount === 'skills' ? `${skills}/${rest}` : rest, isForm: false }];
  const [id = ''] = rest.split('?', 1);
  return [
    { mount, rest: `${results}/${id}`, isForm: false },
    { mount, rest: `${results}/${id}.json`, isForm: true },
  ];
}

function splitPath(name: string): [mount: string, rest: string] {
  const path = name.startsWith(SCHEME) ? name.slice(SCHEME.length) : name;
  const [mount = '', ...rest] = path.split('/');
  return [mount, rest.join('/')];
}

async function copyFile({ mount, rest, isForm }: { mount: string; rest: string; isForm: boolean }, mounts: Mounts, target: string) {
  const bytes = await readFile(join(mounts[mount] ?? '', rest));
  const file = join(target, mount, rest);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, isForm ? withoutEnd(bytes) : bytes);
}

/** A recording is a test for longer than a result is kept. */
function withoutEnd(form: Buffer): string {
  return JSON.stringify({ ...(JSON.parse(form.toString('utf8')) as object), expiresAt: NEVER });
}

function changed(path: string): SandboxError {
  return new SandboxError('ERR_EXECUTION_DIVERGED', `The file ${path} is not what the run has read: the test could not be repeated.`, {
    hint: 'Put the file back as it was, or record the run again.',
  });
}
