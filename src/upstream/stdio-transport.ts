import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import type { JSONRPCMessage } from '@modelcontextprotocol/client';
import type { StdioServerConfig } from '../config/schema.ts';
import { childEnvironment } from './child-environment.ts';
import { endProcess, signalGroup } from './child-process.ts';
import { LineReader, type LineSinks } from './line-reader.ts';
import { invalidReply, oversizedReply } from './local-reply.ts';
import { endFamily, FAMILY_VARIABLE } from './process-family.ts';
import type { ConnectionEnd, UpstreamTransport } from './transport.ts';

const MAX_STDERR_LINE_BYTES = 8 * 1024;
const DRAIN_MS = 250;
/** What a server has not read yet of what it was sent, before one more message. Who lets more come together does not read. */
const MAX_UNREAD_BYTES = 64 * 1024 * 1024;
const MAX_UNREAD_MESSAGES = 10_000;

export interface StdioTransportOptions {
  readonly server: StdioServerConfig;
  readonly baseEnvironment: Readonly<Record<string, string>>;
  readonly maxMessageBytes: number;
  /** A message over that limit is kept as it came, unread, up to this many bytes. Default: not at all. */
  readonly maxKeptBytes?: number | undefined;
  readonly onStderr: (line: string) => void;
  /** Marks all that the server starts. Default: only its process group is ended with it. */
  readonly family?: string | undefined;
}

/**
 * MCP over the stdin and stdout of a child process. Ours instead of the SDK's, because the SDK's hands on variables of our own
 * environment, leaves grandchildren behind, and ends the whole connection at one oversized answer.
 */
export class StdioTransport implements UpstreamTransport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: NonNullable<UpstreamTransport['onmessage']>;
  // The SDK tells stdio transports by these two names.
  readonly stderr = null;
  readonly #options: StdioTransportOptions;
  #child: ChildProcess | undefined;
  #ending: Promise<void> | undefined;
  #closed = false;
  #end: ConnectionEnd | undefined;
  /** Messages that it has not read, our answers to its own requests among them. */
  #unread = 0;

  constructor(options: StdioTransportOptions) {
    this.#options = options;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  get end(): ConnectionEnd | undefined {
    return this.#end;
  }

  start(): Promise<void> {
    if (this.#child !== undefined || this.#closed) throw new TypeError('a StdioTransport starts once');
    const { server, baseEnvironment, family } = this.#options;
    const child = spawn(server.command, server.args, {
      cwd: server.cwd,
      env: {
        ...childEnvironment(baseEnvironment, server.env, process.platform),
        ...(family !== undefined && { [FAMILY_VARIABLE]: family }),
      },
      stdio: ['pipe', 'pipe', 'pipe'],
      // A process group of its own, so that all of it can be ended, and Ctrl-C in a terminal leaves the ending to us.
      detached: process.platform !== 'win32',
      windowsHide: true,
    });
    this.#child = child;
    this.#listen(child);
    return new Promise((resolve, reject) => {
      child.once('spawn', () => resolve());
      child.once('error', reject);
    });
  }

  send(message: JSONRPCMessage): Promise<void> {
    const stdin = this.#child?.stdin;
    if (this.#closed || !stdin?.writable) return Promise.reject(new Error('the process does not read its stdin any more'));
    if (stdin.writableLength > MAX_UNREAD_BYTES || this.#unread >= MAX_UNREAD_MESSAGES) {
      this.#fail('it does not read what it is sent', false);
      return Promise.reject(new Error('the process does not read its stdin'));
    }
    this.#unread++;
    return new Promise((resolve, reject) => {
      stdin.write(`${JSON.stringify(message)}\n`, (error) => {
        this.#unread--;
        if (error) reject(error);
        else resolve();
      });
    });
  }

  /** Ends the process and all it started. Resolves when they are gone. */
  async close(): Promise<void> {
    this.#finish(undefined);
    if (this.#child !== undefined) this.#ending ??= this.#endAll(this.#child);
    await this.#ending;
  }

  async #endAll(child: ChildProcess): Promise<void> {
    await endProcess(child);
    if (this.#options.family !== undefined) await endFamily(this.#options.family);
  }

  #listen(child: ChildProcess): void {
    const sinks: LineSinks = {
      line: (line) => this.#receive(line),
      oversized: (head, tail, whole) => this.#receiveOversized(head, tail, whole),
      flooded: () => this.#fail('it wrote far more than the limit without a line end'),
    };
    const reader = new LineReader(this.#options.maxMessageBytes, sinks, this.#options.maxKeptBytes);
    child.stdout?.on('data', (chunk: Buffer) => {
      if (!this.#closed) reader.push(chunk);
    });
    const stderr = new LineReader(MAX_STDERR_LINE_BYTES, {
      line: (line) => this.#options.onStderr(line),
      oversized: (head) => this.#options.onStderr(`${head}...`),
      flooded: () => {},
    });
    child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.on('error', (error) => this.onerror?.(error));
    child.once('exit', (code, signal) => {
      // Whatever it started would otherwise outlive it.
      signalGroup(child, 'SIGKILL');
      const reason = signal === null ? `the process ended with exit code ${code}` : `the process was ended by ${signal}`;
      const finish = (): void => this.#finish({ reason, oversized: false });
      // What is still in the pipe is read first, but a stranger that holds the pipe open cannot hold this up.
      const timer = setTimeout(finish, DRAIN_MS);
      child.once('close', () => {
        clearTimeout(timer);
        finish();
      });
    });
  }

  #receive(line: string): void {
    if (this.#closed || line.trim() === '') return;
    let message: unknown;
    try {
      message = JSON.parse(line);
    } catch {
      this.onerror?.(new Error('a line on its stdout is not JSON'));
      return;
    }
    if (isMessage(message)) this.onmessage?.(invalidReply(message) ?? message);
    else this.onerror?.(new Error('a line on its stdout is not a JSON-RPC message'));
  }

  #receiveOversized(head: string, tail: string, whole: Buffer | undefined): void {
    if (this.#closed) return;
    const reply = oversizedReply(head, tail, whole);
    if (reply === undefined) this.#fail('it sent a message over the size limit');
    else this.onmessage?.(reply);
  }

  #fail(reason: string, oversized = true): void {
    this.#finish({ reason, oversized });
    void this.close();
  }

  #finish(end: ConnectionEnd | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#end = end;
    this.onclose?.();
  }
}

/** Enough to hand it to the SDK, which checks the rest of every message. */
function isMessage(value: unknown): value is JSONRPCMessage & Record<string, unknown> {
  return typeof value === 'object' && value !== null && 'jsonrpc' in value;
}
