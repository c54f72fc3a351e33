// A server of the generated catalog over stdio: `node catalog-server.ts NAME TOOLS_OF_THE_WHOLE_CATALOG`. Its tools answer "done".
import { fromJsonSchema, McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { generatedServers } from './generated-catalog.ts';

const [, , name = '', tools = '0'] = process.argv;
const server = generatedServers(Number(tools)).find((each) => each.name === name);

serveStdio(() => {
  const mcp = new McpServer({ name, version: '1.0.0' });
  for (const tool of server?.tools ?? []) {
    const { inputSchema, description, annotations } = tool;
    mcp.registerTool(tool.name, { description, annotations, inputSchema: fromJsonSchema(inputSchema) }, () => ({
      content: [{ type: 'text', text: 'done' }],
    }));
  }
  return mcp;
});
