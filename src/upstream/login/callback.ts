import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { failed } from './discover.ts';

/** What a browser brings back: the parameters of the authorization response. */
export interface Callback extends AsyncDisposable {
  /** Where the authorization server sends the browser. */
  readonly redirectUrl: string;
  /** The parameters of the one request that is taken. */
  readonly answered: Promise<URLSearchParams>;
}

export interface CallbackOptions {
  /** 0 for any free one. */
  readonly port: number;
  /** The same path each time, for clients that were registered with one; else nobody can guess it. */
  readonly fixedPath: boolean;
  /** What the answer has to have as `state`: without it anybody on this machine, or any web page, could come in the browser's place. */
  readonly state: string;
}

const MAX_URL_LENGTH = 16 * 1024;
const PAGE = (text: string): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>Ampoule</title><p>${text} You can close this page.</p></html>`;

/** Listens on 127.0.0.1 for the browser to come back, once. @throws SandboxError ERR_UPSTREAM_LOGIN_FAILED when the port is taken */
export async function listenForCallback({ port, fixedPath, state }: CallbackOptions): Promise<Callback> {
  const path = fixedPath ? '/callback' : `/callback/${randomBytes(16).toString('base64url')}`;
  const answered = Promise.withResolvers<URLSearchParams>();
  let taken: string | undefined;
  const server = createServer({ maxHeaderSize: 2 * MAX_URL_LENGTH, requestTimeout: 10_000 }, (request, response) => {
    const parameters = parametersOf(request, { path, port: portOf(server) });
    const isAnswer = parameters !== undefined && isState(parameters, state);
    // Browsers ask again for the same page: for a preview first, or when it is shown another time.
    if (!isAnswer || (taken ?? request.url) !== request.url) return respond(response, 404, 'There is nothing here.');
    taken = request.url;
    respond(response, 200, 'Ampoule has what it needs: the terminal says how it went.');
    answered.resolve(parameters);
  });
  const listening = Promise.withResolvers<void>();
  server.once('error', () => listening.reject(failed(`port ${port} of 127.0.0.1 cannot be listened on (oauth.redirectPort)`)));
  server.listen(port, '127.0.0.1', () => listening.resolve());
  await listening.promise;
  return {
    redirectUrl: `http://127.0.0.1:${portOf(server)}${path}`,
    answered: answered.promise,
    [Symbol.asyncDispose]: () => close(server),
  };
}

/** The parameters of an address that a person copied from the browser. @throws SandboxError ERR_UPSTREAM_LOGIN_FAILED when it is another one */
export function parametersOfPasted(text: string, redirectUrl: string): URLSearchParams {
  const url = URL.parse(text.trim().slice(0, MAX_URL_LENGTH));
  const expected = new URL(redirectUrl);
  if (url === null || url.origin !== expected.origin || url.pathname !== expected.pathname) {
    throw failed(`that is not an address that begins with ${redirectUrl}: copy the whole address that the browser ends at`);
  }
  return url.searchParams;
}

/** Text that nobody can guess, for the parameter that ties the answer to our question. */
export function newState(): string {
  return randomBytes(32).toString('base64url');
}

/** Compared in constant time. Only one parameter of that name counts as one. */
export function isState(parameters: URLSearchParams, state: string): boolean {
  const [given, ...more] = parameters.getAll('state').map((text) => Buffer.from(text));
  const expected = Buffer.from(state);
  return given !== undefined && more.length === 0 && given.length === expected.length && timingSafeEqual(given, expected);
}

/** Undefined for what is not the browser coming back: other paths, methods and hosts, such as a page that rebinds its name to 127.0.0.1. */
function parametersOf(request: IncomingMessage, { path, port }: { path: string; port: number }): URLSearchParams | undefined {
  const { method, url = '', headers } = request;
  if (method !== 'GET' || url.length > MAX_URL_LENGTH || headers.host !== `127.0.0.1:${port}`) return undefined;
  const target = URL.parse(url, 'http://127.0.0.1');
  return target?.pathname === path ? target.searchParams : undefined;
}

function respond(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': "default-src 'none'",
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    connection: 'close',
  });
  response.end(PAGE(text));
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function close(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  // The page has a moment to get to the browser.
  setTimeout(() => server.closeAllConnections(), 200).unref();
  server.closeIdleConnections();
  return promise;
}
