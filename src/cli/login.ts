import { createInterface } from 'node:readline';
import type { Config, HttpServerConfig } from '../config/schema.ts';
import { SandboxError } from '../errors.ts';
import { nearestName } from '../nearest-name.ts';
import { harmlessLine } from '../result/harmless-text.ts';
import { createGuardedFetch } from '../upstream/guarded-fetch.ts';
import { logIn } from '../upstream/login/log-in.ts';
import { openLogins, openLoginsIfAny, type LoginStore, type LoginStoreOptions } from '../upstream/login/login-store.ts';
import { CredentialsLogin } from '../upstream/login/credentials-login.ts';
import { hasOwnAuthorization, openOAuth } from '../upstream/login/logins.ts';
import type { Login } from '../upstream/login/record.ts';
import { revoke } from '../upstream/login/revoke.ts';
import { createNetworkRules } from '../upstream/network-rules.ts';
import { cacheDirectory, readConfig, type CommonOptions, type ProcessContext } from './command.ts';
import { listLogins } from './login-list.ts';
import { openBrowser } from './open-browser.ts';
import { recordCommand } from './record-command.ts';

export interface LoginOptions extends CommonOptions {
  readonly list?: boolean;
  readonly json?: boolean;
  /** False with --no-browser. */
  readonly browser: boolean;
  readonly scope?: string;
  /** Seconds. */
  readonly timeout: string;
}

const MAX_TIMEOUT_S = 3_600;
const MAX_PASTED = 16 * 1024;
const QUIET_MS = 10_000;

/** `ampoule login SERVER`, or `--list`. @throws SandboxError ERR_CLI_USAGE, ERR_UPSTREAM_* */
export async function login(context: ProcessContext, server: string | undefined, options: LoginOptions): Promise<void> {
  const config = await readConfig(context, options);
  const place = storePlace(context, config);
  if (options.list === true) {
    if (server !== undefined) throw usage('With --list there is no server to name.');
    using store = openLoginsIfAny(place);
    return void context.stdout.write(listLogins(store, config, options.json === true));
  }
  if (server === undefined) throw usage('Name the server to log in at, or say --list.');
  const target = httpServer(config, server);
  if (hasOwnAuthorization(target)) {
    throw usage(`The server "${server}" has an Authorization header in the config: take it out to log in with OAuth.`);
  }
  const timeoutMs = seconds(options.timeout) * 1_000;
  if (target.oauth?.grant === 'client_credentials') return tryCredentials(context, server, target);
  using store = openLogins(place);
  const made = await logInAt(context, { server, target, before: readable(store, server), options, timeoutMs });
  store.write(server, made);
  await recordCommand(context, config, { kind: 'login', action: 'login', server });
  context.stdout.write(`${told(server, made)}\n`);
}

/** `ampoule logout SERVER`. @throws SandboxError ERR_CLI_USAGE, ERR_UPSTREAM_LOGIN_STORE */
export async function logout(context: ProcessContext, server: string, options: CommonOptions): Promise<void> {
  const config = await readConfig(context, options);
  using store = openLoginsIfAny(storePlace(context, config));
  const before = store && readable(store, server);
  if (store === undefined || !store.remove(server)) {
    throw usage(`There is no login at "${harmlessLine(server.slice(0, 64))}".`, '"ampoule login --list" shows them.');
  }
  await recordCommand(context, config, { kind: 'login', action: 'logout', server });
  const target = config.mcpServers[server];
  let isRevoked = false;
  if (before !== undefined && target !== undefined && target.type !== 'stdio') {
    const oauth = openOAuth(target);
    isRevoked = await revoke(before, target, oauth.fetch);
    await oauth.close();
  }
  const rest = isRevoked
    ? 'and its tokens are revoked'
    : 'its authorization server was not told (it has no way for that, or did not answer)';
  context.stdout.write(`Logged out of ${server}: the login is deleted, ${rest}.\n`);
}

interface LogInTarget {
  readonly server: string;
  readonly target: HttpServerConfig;
  readonly before: Login | undefined;
  readonly options: LoginOptions;
  readonly timeoutMs: number;
}

async function logInAt(context: ProcessContext, { server, target, before, options, timeoutMs }: LogInTarget): Promise<Login> {
  const oauth = openOAuth(target, { signal: context.signal });
  const direct = createGuardedFetch({ rules: createNetworkRules(target, 'server'), quietMs: QUIET_MS });
  try {
    const scopes = options.scope?.split(/\s+/).filter((scope) => scope !== '');
    const show = (url: URL, redirectUrl: string, signal: AbortSignal): Promise<string | undefined> =>
      showUrl(context, { server, url, redirectUrl, browser: options.browser }, signal);
    return await logIn(
      { server, config: target, before, scopes, oauthFetch: oauth.fetch, serverFetch: direct.fetch, show, timeoutMs },
      context.signal,
    );
  } finally {
    await Promise.all([oauth.close(), direct.close()]);
  }
}

interface Shown {
  readonly server: string;
  readonly url: URL;
  readonly redirectUrl: string;
  readonly browser: boolean;
}

/** The URL goes to stderr: it is for a person. Without a browser, resolves with the address that the person pastes. */
async function showUrl(
  context: ProcessContext,
  { server, url, redirectUrl, browser }: Shown,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { stderr, environment } = context;
  const scopes = url.searchParams.get('scope');
  // What is granted is handed to the server, so the person sees who asks for what, and where.
  stderr.write(
    `The server ${server} sends you to ${url.origin} and asks for ${scopes === null ? 'no scopes by name' : harmlessLine(scopes)}.\n`,
  );
  stderr.write(`To let Ampoule use it, open this address and log in there:\n\n${url.href}\n\n`);
  if (browser) {
    openBrowser(url, environment);
    stderr.write('Waiting for the browser to come back ... (where there is none: Ctrl-C, and the same with --no-browser)\n');
    return undefined;
  }
  stderr.write(`On another machine the browser ends at an address that begins with ${redirectUrl} and cannot be shown there.\n`);
  stderr.write('Copy that address from the browser and paste it here:\n');
  return pastedAddress(context, redirectUrl, signal);
}

/**
 * The first line that is the address, else the last one that is not. Undefined when the input ends without any: then only the browser
 * itself can come back.
 */
async function pastedAddress({ stdin, stderr }: ProcessContext, redirectUrl: string, signal: AbortSignal): Promise<string | undefined> {
  const lines = createInterface({ input: stdin, terminal: false });
  const stop = (): void => lines.close();
  signal.addEventListener('abort', stop, { once: true });
  try {
    let last: string | undefined;
    for await (const line of lines) {
      if (line.trim() === '') continue;
      last = line.trim().slice(0, MAX_PASTED);
      if (last.startsWith(redirectUrl)) return last;
      stderr.write(`That is not the address. The one that is needed begins with ${redirectUrl}\nPaste it here:\n`);
    }
    return last;
  } finally {
    signal.removeEventListener('abort', stop);
    lines.close();
  }
}

async function tryCredentials(context: ProcessContext, server: string, config: HttpServerConfig): Promise<void> {
  const { fetch, close } = openOAuth(config, { signal: context.signal });
  const credentials = new CredentialsLogin({ config, fetch, closeFetch: close });
  try {
    await credentials.token();
  } finally {
    await credentials.close();
  }
  context.stdout.write(`The client credentials of ${server} work. There is nothing to store: tokens are got when they are needed.\n`);
}

function storePlace(context: ProcessContext, config: Config): LoginStoreOptions {
  return { directory: cacheDirectory(context, config), secret: config.logins.secret };
}

function httpServer(config: Config, name: string): HttpServerConfig {
  const found = Object.hasOwn(config.mcpServers, name) ? config.mcpServers[name] : undefined;
  if (found !== undefined && found.type !== 'stdio') return found;
  const remote = Object.entries(config.mcpServers).flatMap(([key, { type }]) => (type === 'stdio' ? [] : [key]));
  const near = nearestName(name, remote);
  if (found !== undefined) throw usage(`The server "${name}" is a child process: it asks for no login.`);
  throw usage(
    `There is no server "${harmlessLine(name.slice(0, 64))}" with a "url" in the config.`,
    near === undefined ? `Those that there are: ${remote.join(', ') || 'none'}.` : `Did you mean "${near}"?`,
  );
}

/** A login that cannot be read any more does not keep the operator from another, or from deleting it. */
function readable(store: LoginStore, server: string): Login | undefined {
  try {
    return store.read(server)?.login;
  } catch {
    return undefined;
  }
}

function seconds(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= MAX_TIMEOUT_S) return value;
  throw usage(`--timeout is a whole number of seconds from 1 to ${MAX_TIMEOUT_S}.`);
}

function told(server: string, { issuer, scope, expiresAt, refreshToken }: Login): string {
  const scopes = scope === undefined ? '' : `, with the scopes ${harmlessLine(scope)}`;
  const end = expiresAt === undefined ? 'has no known end' : `lasts until ${new Date(expiresAt).toISOString().replace(/\.\d+Z$/, 'Z')}`;
  const renewal = refreshToken === undefined ? 'cannot be renewed without another login' : 'is renewed by itself';
  return `Logged in to ${server} at ${harmlessLine(issuer)}${scopes}. The token ${end} and ${renewal}.`;
}

function usage(message: string, hint?: string): SandboxError {
  return new SandboxError('ERR_CLI_USAGE', message, hint === undefined ? {} : { hint });
}
