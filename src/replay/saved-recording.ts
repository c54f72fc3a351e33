import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { z } from 'zod';
import { SandboxError } from '../errors.ts';
import { copyFiles, type Mounts } from './recorded-files.ts';
import { firstIssue, recordingSchema, type Recording } from './recording.ts';

const RECORDING_FILE = 'recording.json';
const SCRIPT_FILE = 'program.js';
const SOURCE_FILE = 'program.ts';
/** Files that the run has read, by mount. */
const FILES_FOLDER = 'files';
/** No recording of ours is longer, in bytes: a larger file is something else. */
const MAX_FILE_BYTES = 512 * 1024 * 1024;
const FOLDER_HINT = 'Write one with: ampoule replay <id> --save <folder>';
const REASONS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'it is not there'],
  ['ENOTDIR', 'it is no folder'],
  ['EISDIR', 'it is a folder'],
  ['EACCES', 'it may not be read'],
]);

/** A recording that was saved as a test. */
export interface SavedRecording {
  readonly folder: string;
  readonly recording: Recording & Required<Pick<Recording, 'expected'>>;
  /** The folders that the run reads from, by mount; none where it reads nothing. */
  readonly mounts: Mounts;
}

export interface SaveOptions {
  /** Gets a folder of the recording's own. */
  readonly directory: string;
  /** The agent's source, for whoever reads it. */
  readonly code: string;
  readonly mounts: Mounts;
}

/**
 * Writes a recording as a folder of its own: program, answers, expected result, and the files that it has read. The folder is there whole
 * or not at all.
 * @returns the folder
 * @throws SandboxError ERR_CLI_FILE when it is there already or cannot be written; ERR_EXECUTION_DIVERGED when a file is not what the run has read;
 * ERR_EXECUTION_UNKNOWN when the run has not ended
 */
export async function saveRecording(recording: Recording, { directory, code, mounts }: SaveOptions): Promise<string> {
  const folder = join(directory, recording.executionId);
  if (recording.expected === undefined) {
    const hint = 'Wait for its end: ampoule executions shows it.';
    throw new SandboxError('ERR_EXECUTION_UNKNOWN', `${recording.executionId} has not ended: there is no result to test for.`, { hint });
  }
  if (existsSync(folder)) throw isThere(folder);
  let work: string | undefined;
  try {
    await mkdir(directory, { recursive: true });
    work = await mkdtemp(join(directory, '.saving-'));
    await writeParts(work, recording, code, mounts);
    await rename(work, folder);
    return folder;
  } catch (cause) {
    if (work !== undefined) await rm(work, { recursive: true, force: true });
    if (cause instanceof SandboxError) throw cause;
    if (existsSync(folder)) throw isThere(folder, cause);
    const hint = 'Name a folder that can be written to.';
    throw new SandboxError('ERR_CLI_FILE', `The recording cannot be written to ${folder}: ${reasonOf(cause)}.`, { hint, cause });
  }
}

async function writeParts(work: string, { script, ...recording }: Recording, code: string, mounts: Mounts): Promise<void> {
  const names = recording.files.length > 0 && { mounts: Object.keys(mounts) };
  if (code !== '') await writeFile(join(work, SOURCE_FILE), code.endsWith('\n') ? code : `${code}\n`);
  await writeFile(join(work, SCRIPT_FILE), script);
  await copyFiles({ ...recording, script }, mounts, join(work, FILES_FOLDER));
  await writeFile(join(work, RECORDING_FILE), `${JSON.stringify({ ...recording, ...names }, null, 2)}\n`);
}

function isThere(folder: string, cause?: unknown): SandboxError {
  const hint = 'Nothing is overwritten: remove it, or name another folder.';
  return new SandboxError('ERR_CLI_FILE', `The recording ${folder} is there already.`, { hint, cause });
}

/** The recordings in a folder: it is one itself, or holds some, in the order of their names. @throws SandboxError ERR_CLI_FILE */
export async function readRecordings(directory: string): Promise<SavedRecording[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((cause: unknown) => {
    throw new SandboxError('ERR_CLI_FILE', `The folder ${directory} cannot be read: ${reasonOf(cause)}.`, { hint: FOLDER_HINT, cause });
  });
  if (entries.some(({ name }) => name === RECORDING_FILE)) return [await readRecording(directory)];
  const folders = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map(({ name }) => name);
  const found: SavedRecording[] = [];
  for (const name of folders.toSorted()) found.push(await readRecording(join(directory, name)));
  if (found.length > 0) return found;
  throw new SandboxError('ERR_CLI_FILE', `The folder ${directory} holds no recording.`, {
    hint: FOLDER_HINT,
  });
}

async function readRecording(folder: string): Promise<SavedRecording> {
  const json = await readText(folder, RECORDING_FILE);
  const script = await readText(folder, SCRIPT_FILE);
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch (cause) {
    throw unreadable(folder, RECORDING_FILE, `it is no JSON: ${reasonOf(cause)}`, cause);
  }
  const checked = savedSchema.safeParse(parsed);
  if (!checked.success) throw unreadable(folder, RECORDING_FILE, firstIssue(checked.error), checked.error);
  const recording = parsed as z.output<typeof savedSchema>;
  const names = recording.files.length === 0 ? [] : (recording.mounts ?? []);
  const mounts = Object.fromEntries(names.map((name) => [name, join(folder, FILES_FOLDER, name)]));
  return { folder, recording: { ...recording, script }, mounts };
}

const savedSchema = recordingSchema.required({ expected: true });

async function readText(folder: string, name: string): Promise<string> {
  try {
    const bytes = await readFile(join(folder, name));
    if (bytes.length > MAX_FILE_BYTES) throw new RangeError(`it has more than ${MAX_FILE_BYTES} bytes`);
    return bytes.toString('utf8');
  } catch (cause) {
    throw unreadable(folder, name, reasonOf(cause), cause);
  }
}

function unreadable(folder: string, name: string, reason: string, cause: unknown): SandboxError {
  const hint = 'It was written by another version, or changed by hand: save it again, or move what is no recording out of the folder.';
  return new SandboxError('ERR_CLI_FILE', `The recording ${basename(folder)} cannot be read: ${name}: ${reason}.`, { hint, cause });
}

/** Without the path, which the message has already. */
function reasonOf(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  return code === undefined ? message : (REASONS.get(code) ?? code);
}
