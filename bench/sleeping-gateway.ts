import type { ToolAnswer } from '../src/execute/run.ts';
import { serveGateway } from './gateway-process.ts';
import { inProcessUpstreams } from './over-http-upstream.ts';

// A gateway whose tools answer when the parent says so.

const held: (() => void)[] = [];
let isReleased = false;
const hold = ({ arguments: { repo } }: { arguments: Readonly<Record<string, unknown>> }): Promise<ToolAnswer> =>
  new Promise((resolve) => {
    held.push(() => resolve({ ok: true, value: JSON.stringify({ items: [], repo }) }));
    // A run that slept may come only now.
    if (isReleased) release();
  });
const release = (): void => {
  isReleased = true;
  for (const answer of held.splice(0)) answer();
};
process.on('message', release);
const upstreams = inProcessUpstreams();
// Calls that nobody has answered when the gateway is killed are made again by the next one.
const servers = upstreams.catalog().servers.map(({ tools, ...server }) => ({
  ...server,
  tools: tools.map((tool) => ({ ...tool, annotations: { readOnlyHint: true } })),
}));
await serveGateway({ ...upstreams, catalog: () => ({ servers }), call: hold });
