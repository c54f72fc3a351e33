import type { Config } from '../config/schema.ts';
import { harmlessLine } from '../result/harmless-text.ts';
import type { LoginStore } from '../upstream/login/login-store.ts';
import { belongs } from '../upstream/login/tokens.ts';
import type { Login } from '../upstream/login/record.ts';
import { drawTable } from './table.ts';

/** What is shown of a login; never a token. */
interface Row {
  readonly server: string;
  readonly origin: string;
  readonly issuer: string;
  readonly scopes: string;
  /** When the access token is over, ISO 8601; absent when it does not say. */
  readonly expires?: string;
  readonly state: string;
}

/** `ampoule login --list`, as text or JSON. A login that cannot be read is listed as such. */
export function listLogins(store: LoginStore | undefined, config: Config, asJson: boolean): string {
  const rows = (store?.servers() ?? []).map((server) => row(store, server, config));
  if (asJson) return `${JSON.stringify(rows)}\n`;
  if (rows.length === 0) return 'No logins.\n';
  const cells = rows.map(({ server, origin, issuer, scopes, expires = '', state }) =>
    [server, origin, issuer, scopes, expires, state].map(harmlessLine),
  );
  return `${drawTable([['SERVER', 'AT', 'ISSUER', 'SCOPES', 'TOKEN UNTIL', 'STATE'], ...cells])}\n`;
}

function row(store: LoginStore | undefined, server: string, config: Config): Row {
  let login: Login | undefined;
  try {
    login = store?.read(server)?.login;
  } catch {
    // Said in the state.
  }
  if (login === undefined) return { server, origin: '', issuer: '', scopes: '', state: 'cannot be read: log in again' };
  const { url, issuer, scope = '', expiresAt } = login;
  const expires = expiresAt === undefined ? {} : { expires: new Date(expiresAt).toISOString() };
  return { server, origin: new URL(url).origin, issuer, scopes: scope, ...expires, state: stateOf(login, config.mcpServers[server]) };
}

function stateOf(login: Login, server: Config['mcpServers'][string] | undefined): string {
  if (server === undefined || server.type === 'stdio') return 'not used: no such server in the config';
  if (!belongs(login, server)) return 'not used: the config has another URL, issuer or client';
  if (login.ended !== undefined) return `over: log in again (${login.ended})`;
  const isOver = login.expiresAt !== undefined && login.expiresAt <= Date.now();
  return isOver && login.refreshToken === undefined ? 'over: log in again' : 'good';
}
