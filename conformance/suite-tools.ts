// The tools that the conformance suite calls, as an upstream server: programs call them as they call any other.
import { McpServer } from '@modelcontextprotocol/server';
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import { ANSWERS } from './suite-answers.ts';

const server = new McpServer({ name: 'suite', version: '1.0.0' });
for (const [name, answer] of Object.entries(ANSWERS)) {
  server.registerTool(name, { description: `Answers as the scenario of ${name} expects.` }, () => answer);
}
await server.connect(new StdioServerTransport());
