import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { answer, type Request } from './tools.ts';

// An MCP server over Streamable HTTP that answers with JSON. Arguments: port of 127.0.0.1, and the file where effects are written down.

const [, , port = '0', file = ''] = process.argv;

const server = createServer((request, response) => {
  if (request.method !== 'POST') return void response.writeHead(405).end();
  void text(request).then(async (body) => {
    const message = JSON.parse(body) as Request;
    const result = await answer(message, file);
    if (!result) return void response.writeHead(202).end();
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ jsonrpc: '2.0', id: message.id, result }));
  });
});
server.listen(Number(port), '127.0.0.1', () => {
  const address = server.address();
  process.send?.(typeof address === 'object' && address !== null ? address.port : 0);
});
// Whoever started it is gone.
process.on('disconnect', () => process.exit(0));
