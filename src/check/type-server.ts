import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { UpdateSnapshotParams, UpdateSnapshotResponse } from 'typescript/unstable/proto';
export type { UpdateSnapshotParams, UpdateSnapshotResponse } from 'typescript/unstable/proto';
import { encodeMessage, MessageReader, type RpcMessage } from './message-stream.ts';
import type { OrphanWatch } from './orphan-watch.ts';

const STDERR_KEPT = 2000;
/** More of this and the collector works harder; no bound of its own, see `src/memory-watch.ts`. */
const GO_ENVIRONMENT = { GOGC: '300', GOMEMLIMIT: '768MiB', GOTRACEBACK: 'none' };

/** All that the checker process sees of any disk. */
export interface VirtualDisk {
  readFile(path: string): string | undefined;
  fileExists(path: string): boolean;
  directoryExists(path: string): boolean;
}

/** One message of TypeScript, with offsets in UTF-16 units of the file's text. */
export interface RawDiagnostic {
  readonly fileName?: string;
  readonly pos: number;
  readonly end: number;
  readonly code: number;
  /** 1 is an error. */
  readonly category: number;
  readonly text: string;
  readonly messageChain?: readonly RawDiagnostic[];
  readonly relatedInformation?: readonly RawDiagnostic[];
}

/** Where the native compiler and its lib files are. */
export function typescriptFolder(): string {
  const typescript = createRequire(createRequire(import.meta.url).resolve('typescript/package.json'));
  return join(dirname(typescript.resolve(`@typescript/typescript-${process.platform}-${process.arch}/package.json`)), 'lib');
}

/**
 * One process of TypeScript's native checker. It is started with an empty environment, asks us for every file, and ends when
 * its standard input does, or by the watch, so that it does not outlive us.
 */
export class TypeServer {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #pending = new Map<number, { resolve: (result: unknown) => void; reject: (reason: Error) => void }>();
  readonly #disk: VirtualDisk;
  readonly exited: Promise<void>;
  #nextId = 1;
  #stderr = '';
  #ended: Error | undefined;

  constructor(folder: string, disk: VirtualDisk, watch: OrphanWatch) {
    this.#disk = disk;
    const executable = join(folder, process.platform === 'win32' ? 'tsc.exe' : 'tsc');
    const callbacks = '--callbacks=readFile,fileExists,directoryExists,getAccessibleEntries,realpath';
    this.#child = spawn(executable, ['--api', '--async', '--cwd', '/', callbacks], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: GO_ENVIRONMENT,
      cwd: folder,
      windowsHide: true,
    });
    // One that could not be started for want of descriptors says so later, and has no streams.
    this.#child.once('error', () => undefined);
    if (!(this.#child.stdio as readonly unknown[] | undefined)) throw new Error('the type checker could not be started');
    const { pid } = this.#child;
    if (pid !== undefined) {
      watch.add(pid);
      this.#child.once('exit', () => watch.remove(pid));
    }
    const reader = new MessageReader((message) => this.#receive(message));
    this.#child.stdout.on('data', (piece: Buffer) => {
      try {
        // The checker asks several things at once: the answers leave together.
        this.#child.stdin.cork();
        reader.add(piece);
        this.#child.stdin.uncork();
      } catch (cause) {
        this.kill(new Error('the type checker does not speak its protocol', { cause }));
      }
    });
    this.#child.stderr.on('data', (piece: Buffer) => (this.#stderr = (this.#stderr + piece.toString()).slice(-STDERR_KEPT)));
    this.#child.stdin.on('error', () => undefined);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.exited = promise;
    this.#child.on('error', (cause) => {
      this.#end(new Error('the type checker could not be started', { cause }));
      if (this.#child.pid === undefined) resolve();
    });
    this.#child.on('exit', (code, signal) => {
      this.#end(new Error(`the type checker ended (${signal ?? code}) ${this.#stderr}`.trim()));
      resolve();
    });
    this.#hold(false);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get ended(): boolean {
    return this.#ended !== undefined;
  }

  async initialize(): Promise<void> {
    await this.#request('initialize', null);
  }

  async update(params: UpdateSnapshotParams): Promise<UpdateSnapshotResponse> {
    return (await this.#request('updateSnapshot', params)) as UpdateSnapshotResponse;
  }

  /** What is wrong with a file, first as a text and then, if there is nothing, with its types. */
  async diagnose(snapshot: number, project: string, file: string): Promise<readonly RawDiagnostic[]> {
    const place = { snapshot, project, file };
    this.#child.stdin.cork();
    const questions = [this.#request('getSyntacticDiagnostics', place), this.#request('getSemanticDiagnostics', place)];
    this.#child.stdin.uncork();
    const [syntax, semantics] = await Promise.all(questions);
    const found = [...((syntax ?? []) as RawDiagnostic[]), ...((semantics ?? []) as RawDiagnostic[])];
    return found.filter(({ category }) => category === 1);
  }

  async release(snapshot: number): Promise<void> {
    await this.#request('release', { snapshot });
  }

  /** Ends the process at once; whatever is asked of it fails with `reason`. */
  kill(reason: Error): void {
    this.#end(reason);
    this.#child.stdin.destroy();
    this.#child.kill('SIGKILL');
    // Whoever waits for its end should live to see it.
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.ref();
  }

  async #request(method: string, params: unknown): Promise<unknown> {
    if (this.#ended !== undefined) throw this.#ended;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const id = this.#nextId++;
    this.#pending.set(id, { resolve, reject });
    this.#hold(true);
    this.#child.stdin.write(encodeMessage({ id, method, params }));
    return promise;
  }

  #receive(message: RpcMessage): void {
    // What a killed process has still said changes nothing, and must not let go of it before it is gone.
    if (this.#ended !== undefined) return;
    if (message.method !== undefined) return this.#answer(message.id, message.method, message.params);
    const waiting = this.#pending.get(Number(message.id));
    this.#pending.delete(Number(message.id));
    if (this.#pending.size === 0) this.#hold(false);
    if (message.error === undefined) waiting?.resolve(message.result);
    else waiting?.reject(new Error(`the type checker failed: ${message.error.message ?? ''}`));
  }

  /** Every question has an answer of ours: an empty one would send the process to the real disk. */
  #answer(id: RpcMessage['id'], method: string, params: unknown): void {
    const argument: unknown = Array.isArray(params) ? params[0] : params;
    const path = typeof argument === 'string' ? argument : '';
    this.#child.stdin.write(encodeMessage({ id, result: this.#look(method, path) }));
  }

  #look(method: string, path: string): unknown {
    switch (method) {
      case 'readFile':
        return { content: this.#disk.readFile(path) ?? null };
      case 'fileExists':
        return this.#disk.fileExists(path);
      case 'directoryExists':
        return this.#disk.directoryExists(path);
      case 'getAccessibleEntries':
        return { files: [], directories: [] };
      default:
        return path;
    }
  }

  #end(reason: Error): void {
    this.#ended ??= reason;
    for (const { reject } of this.#pending.values()) reject(this.#ended);
    this.#pending.clear();
    this.#hold(false);
  }

  /** A process that has nothing to do does not keep ours alive. */
  #hold(busy: boolean): void {
    const parts = [this.#child, this.#child.stdin, this.#child.stdout, this.#child.stderr] as { ref?: () => void; unref?: () => void }[];
    for (const part of parts) (busy ? part.ref : part.unref)?.call(part);
  }
}
