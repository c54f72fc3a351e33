import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { translate } from './programs.ts';

/**
 * Stands between the suite and the server, and changes nothing but names: a call of a tool of the suite becomes a call of
 * `execute_code` with a program that calls this tool. Whatever the suite looks at in the answers is the server's own.
 */
export async function startAdapter(url: string): Promise<{ url: string } & AsyncDisposable> {
  const target = new URL(url);
  const server = createServer((req, res) => {
    forward(target, req, res).catch(() => res.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${port}${target.pathname}`, [Symbol.asyncDispose]: stop };
}

async function forward(target: URL, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const text = Buffer.concat(await Array.fromAsync(req as AsyncIterable<Buffer>));
  const headers = { ...req.headers };
  const message = parse(text);
  const name = message === undefined ? undefined : translate(message);
  const body = name === undefined ? text : Buffer.from(JSON.stringify(message));
  delete headers['transfer-encoding'];
  if (headers['content-length'] !== undefined || body.length > 0) headers['content-length'] = String(body.length);
  if (name !== undefined && headers['mcp-name'] !== undefined) headers['mcp-name'] = name;
  const onward = request({ host: target.hostname, port: target.port, path: req.url, method: req.method, headers });
  res.on('close', () => onward.destroy());
  onward.end(body);
  const [answer] = (await once(onward, 'response')) as [IncomingMessage];
  res.writeHead(answer.statusCode ?? 502, answer.headers);
  answer.pipe(res);
}

function parse(text: Buffer): object | undefined {
  try {
    const message: unknown = JSON.parse(text.toString('utf8'));
    return typeof message === 'object' && message !== null && !Array.isArray(message) ? message : undefined;
  } catch {
    return undefined;
  }
}
