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
await serveGateway({ ...inProcessUpstreams(), call: hold });
