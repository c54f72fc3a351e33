import { serveStdio } from '../../src/server/stdio-server.ts';
import { createCannedPort, LIMIT_DEFAULTS } from './canned-port.ts';

/** A server on this process's own stdin and stdout. A test starts it; it ends when stdin does, or after half a minute. */
const silent = (): void => undefined;
const port = createCannedPort();
const server = serveStdio({
  port: { ...port, approvals: port.executions.approvals },
  serverInfo: { name: 'ampoule', version: '9.9.9' },
  limits: LIMIT_DEFAULTS,
  log: { info: silent, warn: silent, error: silent },
  stdin: process.stdin,
  stdout: process.stdout,
});
const bound = setTimeout(() => process.exit(9), 30_000);
await server.closed;
clearTimeout(bound);
process.stderr.write('');
