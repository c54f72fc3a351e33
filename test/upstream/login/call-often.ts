import { connectUpstreams } from '../../../src/upstream/upstreams.ts';

// A process of its own that calls a server ten times at once: node call-often.ts URL FOLDER-OF-LOGINS
const [, , url = '', directory = ''] = process.argv;
const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined };
await using upstreams = connectUpstreams(
  { remote: { type: 'http', url, headers: {}, enabled: true, timeoutMs: 10_000, tools: { allow: ['*'], deny: [] } } },
  { maxToolResultBytes: 1_000_000, baseEnvironment: {}, log: quiet, clientInfo: { name: 'test', version: '1' }, logins: { directory } },
);
await upstreams.settled();
const call = { server: 'remote', tool: 'ping', arguments: {} };
const answers = await Promise.all(Array.from({ length: 10 }, () => upstreams.call(call, new AbortController().signal)));
process.stdout.write(JSON.stringify(answers));
