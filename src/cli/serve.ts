import type { Config } from '../config/schema.ts';
import { SandboxError } from '../errors.ts';
import { createLog, type Log } from '../log.ts';
import type { OpenSandbox } from '../open-sandbox.ts';
import { startHttpServer } from '../server/http-server.ts';
import type { ServerOptions } from '../server/server-options.ts';
import { serveStdio } from '../server/stdio-server.ts';
import { open, readConfig, type CommonOptions, type ProcessContext } from './command.ts';
import { openHttpAccess, type HttpAccess } from './http-access.ts';
import { upstreamTable } from './upstream-table.ts';

export interface ServeOptions extends CommonOptions {
  /** `HOST:PORT`; overrides the config. */
  readonly http?: string;
  readonly stdio?: boolean;
}

/** `ampoule serve`: runs until a signal comes or, over stdio, the client closes stdin. */
export async function serve(context: ProcessContext, options: ServeOptions): Promise<void> {
  const written = await readConfig(context, options);
  const config = { ...written, http: { ...written.http, ...(options.http === undefined ? {} : parseAddress(options.http)) } };
  const log = createLog(config.log);
  await using started = new AsyncDisposableStack();
  const hostField = options.http === undefined ? 'http.host' : '--http';
  const access = options.stdio === true ? undefined : started.use(await openHttpAccess(context, config, hostField, log));
  const sandbox = await openUnlessAborted(context, config, log);
  if (!sandbox) return;
  started.defer(() => sandbox.close());
  access?.recordIn(sandbox.audit);
  context.stderr.write(upstreamTable(sandbox, config));
  const server: ServerOptions = {
    port: sandbox.port,
    serverInfo: { name: 'ampoule', title: 'Ampoule', version: context.version },
    limits: config.limits,
    answers: config.answers,
    log,
  };
  const transport = access === undefined ? overStdio(context, server) : await overHttp(context, server, config.http, access);
  started.defer(() => transport.close());
  sandbox.wrappers.onChange(() => transport.toolsChanged());
  sandbox.upstreams.onChange(() => transport.toolsChanged());
  if (transport.url !== undefined) context.stdout.write(`ampoule ready ${transport.url}\n`);
  await Promise.race([transport.ended, aborted(context.signal)]);
}

/** For a server it is no failure to be told to end before it is ready. */
async function openUnlessAborted(context: ProcessContext, config: Config, log: Log): Promise<OpenSandbox | undefined> {
  try {
    return await open(context, config, log);
  } catch (error) {
    if (context.signal.aborted && error === context.signal.reason) return undefined;
    throw error;
  }
}

/** A way in for MCP clients. */
interface Transport {
  readonly url?: string;
  /** Resolves when no client can come any more. */
  readonly ended: Promise<void>;
  toolsChanged(): void;
  close(): Promise<void>;
}

async function overHttp({ signal }: ProcessContext, server: ServerOptions, http: Config['http'], access: HttpAccess): Promise<Transport> {
  const { auth, hostField } = access;
  const handle = await startHttpServer({ ...server, http, auth, hostField });
  return { ...handle, ended: aborted(signal) };
}

function overStdio({ stdin, stdout }: ProcessContext, server: ServerOptions): Transport {
  const handle = serveStdio({ ...server, stdin, stdout });
  return { toolsChanged: () => handle.toolsChanged(), close: () => handle.close(), ended: handle.closed };
}

function parseAddress(text: string): { host: string; port: number } {
  const match = /^(?:\[(?<six>[^\]]+)\]|(?<host>[^:]*)):(?<port>\d{1,5})$/.exec(text);
  const port = Number(match?.groups?.['port']);
  if (!match || port > 65_535) {
    throw new SandboxError('ERR_CLI_USAGE', `--http expects HOST:PORT, got "${text}".`, {
      hint: 'For example --http 127.0.0.1:8338; port 0 picks a free one.',
    });
  }
  return { host: match.groups?.['six'] ?? (match.groups?.['host'] || '127.0.0.1'), port };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
