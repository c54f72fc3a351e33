import type { ServerResponse } from 'node:http';

/** A whole answer in one write: each write of its own is a system call more. */
export function sendJson(res: ServerResponse, status: number, value: object, headers: Readonly<Record<string, string>> = {}): void {
  const text = JSON.stringify(value);
  res.writeHead(status, { ...headers, 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  res.end(text);
}
