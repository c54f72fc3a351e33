import { createInterface } from 'node:readline';
import { answer, type Request } from './tools.ts';

// An MCP server of one file. Argument: the file where effects are written down.

const [, , file = ''] = process.argv;

createInterface({ input: process.stdin }).on('line', (line) => {
  const request = JSON.parse(line) as Request;
  void answer(request, file).then((result) => {
    if (result) process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id: request.id, result })}\n`);
  });
});
process.stdin.on('end', () => process.exit(0));
