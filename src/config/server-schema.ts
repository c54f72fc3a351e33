import { z } from 'zod';
import { networkSchema, oauthSchema } from './oauth-schema.ts';

/** The ways to say that an upstream server is spoken to over Streamable HTTP; MCP clients do not agree on one. */
const HTTP_TYPES = ['http', 'streamable-http', 'streamableHttp', 'streamable_http'] as const;

/** Every value that `type` of an upstream server may have. */
export const SERVER_TYPES = ['stdio', ...HTTP_TYPES, 'sse'] as const;

/** The names by which agents import a server or read a mount: safe as a folder and in a path on every system. */
export const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

export const NAME_RULE = '1 to 64 of the characters A-Z a-z 0-9 _ . - with a letter or digit first';

// oxlint-disable-next-line no-control-regex -- the NUL character is what is looked for
const NO_NUL = /^[^\u0000]*$/;

/** Text that an operating system takes as an argument or path: a NUL character would cut it off. */
export function systemText(what: string, minimum = 1) {
  const error = `${what} (a string${minimum > 0 ? ', not empty' : ''}, without NUL characters)`;
  return z.string({ error }).min(minimum, { error }).regex(NO_NUL, { error });
}

const TIMEOUT = 'a whole number of milliseconds from 100 to 3600000';

const globs = (what: string) => z.array(systemText('a glob of tool names'), { error: 'a list of globs of tool names' }).describe(what);

const tools = z
  .strictObject({
    allow: globs('Globs of the tools that programs may call, such as "list_*". Default: all.').default(['*']),
    deny: globs('Globs of the tools that programs may not call. Wins over allow. Default: none.').default([]),
  })
  .describe('Which tools of this server programs can see and call. Enforced outside the sandbox.');

const common = {
  enabled: z.boolean({ error: 'true or false' }).default(true).describe('False keeps the entry but does not start or use the server.'),
  timeoutMs: z
    .int({ error: TIMEOUT })
    .min(100, { error: TIMEOUT })
    .max(3_600_000, { error: TIMEOUT })
    .default(60_000)
    .describe('How long one request to the server may take, in milliseconds.'),
  tools: tools.prefault({}),
};

/** A server that is a child process of the gateway, spoken to over its stdin and stdout. */
const stdioServerSchema = z
  .strictObject({
    type: z
      .literal('stdio', { error: '"stdio", as the server has a "command"' })
      .default('stdio')
      .describe('May be left out: a command says it.'),
    command: systemText('the program to start').describe('The program to start, looked up on PATH. No shell is involved.'),
    args: z.array(systemText('an argument', 0), { error: 'a list of strings' }).default([]).describe('Its arguments.'),
    env: z
      .record(
        z.string().regex(/^[^=\u0000]+$/, { error: 'the name of an environment variable' }), // oxlint-disable-line no-control-regex -- as above
        systemText('a value', 0),
        { error: 'an object of strings' },
      )
      .default({})
      .describe('Environment variables for the process. It gets these and a minimal environment, never all of ours.'),
    cwd: systemText('a folder').exactOptional().describe("Working directory of the process; relative to the config file's folder."),
    ...common,
  })
  .describe('A server that is started as a child process and spoken to over stdio.');

/** A server at a URL. */
const httpServerSchema = z
  .strictObject({
    type: z
      .enum([...HTTP_TYPES, 'sse'], { error: '"http" (Streamable HTTP) or "sse", as the server has a "url"' })
      .default('http')
      .transform((type) => (type === 'sse' ? 'sse' : 'http'))
      .describe('"http" for Streamable HTTP (the default), "sse" for the older HTTP+SSE transport.'),
    url: z
      .url({ protocol: /^https?$/, error: 'an http:// or https:// URL' })
      .describe("The server's MCP endpoint, with http:// or https://."),
    headers: z
      .record(
        z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, { error: 'the name of an HTTP header' }),
        z.string({ error: 'a string' }).regex(/^[\t\u0020-\u007e\u0080-\u00ff]*$/, { error: 'one line of ISO-8859-1 text' }),
        { error: 'an object of strings' },
      )
      .default({})
      .describe('HTTP headers for every request to the server, such as Authorization.'),
    oauth: oauthSchema.exactOptional(),
    network: networkSchema.exactOptional(),
    ...common,
  })
  .describe('A server that is reached at a URL.');

/** One entry of `mcpServers`: the branches are told apart by `command` or `url`, so `type` is optional. */
export const serverSchema = z.union([stdioServerSchema, httpServerSchema]);

export type StdioServerConfig = z.output<typeof stdioServerSchema>;
export type HttpServerConfig = z.output<typeof httpServerSchema>;
/** One upstream server, with all defaults filled in. */
export type ServerConfig = StdioServerConfig | HttpServerConfig;
