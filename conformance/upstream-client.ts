// The client that the conformance suite looks at: the one with which Ampoule speaks to the servers of its operator.
import { parseConfig } from '../src/config/load-config.ts';
import { connectUpstreams } from '../src/upstream/upstreams.ts';
import { argumentsFor } from './sample-arguments.ts';

const CALL_MS = 20_000;
/** What a scenario wants called, where it says so. */
const context = JSON.parse(process.env['MCP_CONFORMANCE_CONTEXT'] ?? '{}') as { toolCalls?: { name: string; arguments: object }[] };
const url = process.argv.at(-1) ?? '';
const raw = JSON.stringify({ mcpServers: { suite: { url, timeoutMs: CALL_MS } } });
const { mcpServers, limits } = parseConfig(raw, { file: '/ampoule.json', environment: {} });
const quiet = (): undefined => undefined;

await using upstreams = connectUpstreams(mcpServers, {
  maxToolResultBytes: limits.maxToolResultBytes,
  baseEnvironment: {},
  log: { debug: quiet, info: quiet, warn: quiet },
  clientInfo: { name: 'ampoule', version: '0.0.0' },
});
await upstreams.settled();
const tools = upstreams.catalog().servers[0]?.tools ?? [];
const calls = context.toolCalls ?? tools.map(({ name, inputSchema }) => ({ name, arguments: argumentsFor(inputSchema, tools) }));
for (const call of calls) {
  const args = { ...call.arguments };
  const answer = await upstreams.call({ server: 'suite', tool: call.name, arguments: args }, AbortSignal.timeout(CALL_MS));
  process.stdout.write(`${call.name}: ${JSON.stringify(answer)}\n`);
}
if (upstreams.catalog().servers[0]?.state !== 'ready') process.exitCode = 1;
