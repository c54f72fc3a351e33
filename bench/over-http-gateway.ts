import { serveGateway } from './gateway-process.ts';
import { inProcessUpstreams } from './over-http-upstream.ts';

// A gateway in a process of its own, with an upstream server inside of it.

await serveGateway(inProcessUpstreams());
