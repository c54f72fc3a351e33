import { z } from 'zod';
import { auditSchema } from './audit-schema.ts';
import { authSchema } from './auth-schema.ts';
import { discoverySchema, languageSchema, typesSchema } from './feature-schemas.ts';
import { executionsSchema } from './executions-schema.ts';
import { executorMemorySchema, executorsSchema } from './executor-schema.ts';
import { limitsSchema } from './limits-schema.ts';
import { loginsSchema } from './oauth-schema.ts';
import { policiesSchema } from './policy-schema.ts';
import { principalsSchema } from './principals-schema.ts';
import { NAME_PATTERN, NAME_RULE, serverSchema, systemText } from './server-schema.ts';

export type { HttpServerConfig, ServerConfig, StdioServerConfig } from './server-schema.ts';

const PACKAGE_NAME = /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/;
/** The first word of imports and paths that are ours, so no library and no mount may have it. */
const RESERVED_LIBRARIES = new Set(['ampoule', 'servers', 'skills']);
/** The first words of paths that `readFile` has for itself. */
const RESERVED_MOUNTS = new Set(['servers', 'results', 'skills']);
const ENGINE = '"quickjs" or "starlingmonkey"';
const CHECK = '"error", "warn" or "off"';
const WORKERS = '"auto" or a whole number from 1 to 64';
const PORT = 'a whole number from 0 to 65535';

const libraryName = z
  .string({ error: 'the name of an npm package' })
  .max(214, { error: 'the name of an npm package' })
  .regex(PACKAGE_NAME, { error: 'the name of an npm package, such as "lodash-es" or "@scope/name": no path and no version' })
  .refine((name) => !RESERVED_LIBRARIES.has(name), {
    error: 'another package: "ampoule", "servers" and "skills" are imports of the sandbox itself',
  });

const http = z
  .strictObject({
    host: z
      .string({ error: 'a host name or IP address' })
      .regex(/^[^\s/]+$/, { error: 'a host name or IP address, without scheme or path' })
      .default('127.0.0.1')
      .describe('Address to listen on. Anything but loopback lets other machines in, and needs `auth`.'),
    port: z
      .int({ error: PORT })
      .min(0, { error: PORT })
      .max(65_535, { error: PORT })
      .default(8338)
      .describe('TCP port to listen on; 0 takes any free one.'),
    path: z
      .string({ error: 'a path that starts with /' })
      .regex(/^\/[\w.~/-]*$/, { error: 'a path that starts with / and has no query' })
      .default('/mcp')
      .describe('Path of the MCP endpoint.'),
    allowedHosts: z
      .array(z.string({ error: 'a host name' }).regex(/^[^\s/]+$/, { error: 'a host name, without scheme or path' }), {
        error: 'a list of host names',
      })
      .default([])
      .describe('Further values of the Host header to accept, besides the address listened on and localhost.'),
    allowedOrigins: z
      .array(
        z.string({ error: 'an origin' }).regex(/^[a-z][a-z0-9+.-]*:\/\/[^\s/]+$/, { error: 'an origin such as https://app.example.com' }),
        {
          error: 'a list of origins',
        },
      )
      .default([])
      .describe('Values of the Origin header (web pages) to accept, such as https://app.example.com.'),
  })
  .describe('Where the MCP endpoint listens in HTTP mode.');

const log = z
  .strictObject({
    level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info').describe('The least level that is written.'),
    format: z.enum(['pretty', 'json']).default('pretty').describe('"pretty" for people, "json" for one JSON object per line.'),
  })
  .describe('What is written to stderr.');

/** The config file, as the operator writes it. Strict everywhere; every default of the project's configuration is here or in LIMITS. */
export const configSchema = z
  .strictObject({
    $schema: z
      .string({ error: 'a string' })
      .exactOptional()
      .describe('Where the JSON Schema of this file is, for editors. Ignored otherwise.'),
    mcpServers: z
      .record(z.string().regex(NAME_PATTERN, { error: NAME_RULE }), serverSchema)
      .default({})
      .describe('The upstream MCP servers by name, in the format of MCP clients. Programs import them as "servers/<name>".'),
    mounts: z
      .record(
        z
          .string()
          .regex(NAME_PATTERN, { error: NAME_RULE })
          .refine((name) => !RESERVED_MOUNTS.has(name), {
            error: 'another name: "servers", "results" and "skills" are paths of the sandbox itself',
          }),
        systemText('the path of a folder'),
      )
      .default({})
      .describe("Folders that programs may read with readFile('<name>/<file>'), by name; relative to the config file's folder. Read-only."),
    libraries: z
      .array(libraryName, { error: 'a list of npm package names' })
      .refine((names) => new Set(names).size === names.length, { error: 'a list that has each package once' })
      .meta({ uniqueItems: true })
      .default([])
      .describe("npm packages that programs may import. They are resolved from the config file's folder and bundled."),
    limits: limitsSchema.prefault({}).describe('Hard limits of runs and of the service. A call may only lower them.'),
    http: http.prefault({}),
    auth: authSchema.prefault({}),
    log: log.prefault({}),
    logins: loginsSchema.prefault({}),
    check: z
      .enum(['error', 'warn', 'off'], { error: CHECK })
      .default('error')
      .describe(
        'Type check of programs before they run: "error" refuses a program with type errors, "warn" runs it and reports them, "off" does not check.',
      ),
    discovery: discoverySchema.prefault({}),
    language: languageSchema.prefault({}),
    types: typesSchema.prefault({}),
    skills: z
      .enum(['off', 'ask', 'on'], { error: '"off", "ask" or "on"' })
      .default('off')
      .describe(
        'Whether agents may save modules that later programs import: "off", "ask" (each waits for `ampoule skills approve`), or "on".',
      ),
    policies: policiesSchema.prefault({}),
    principals: principalsSchema,
    audit: auditSchema.prefault({}),
    executions: executionsSchema.prefault({}),
    answers: z
      .enum(['auto', 'structured', 'text'], { error: '"auto", "structured" or "text"' })
      .default('auto')
      .describe(
        'Where an answer has its result: "structured" content, "text" for clients that show nothing else to the model, or "auto" by what the client speaks.',
      ),
    engine: z
      .enum(['quickjs', 'starlingmonkey'], { error: ENGINE })
      .default('quickjs')
      .describe(
        'The JavaScript engine that runs programs: "quickjs" is small and starts fast, "starlingmonkey" parses large JSON faster and takes nearly three times the memory for a waiting run.',
      ),
    workers: z
      .union([z.literal('auto'), z.int().min(1, { error: WORKERS }).max(64, { error: WORKERS })], { error: WORKERS })
      .default('auto')
      .describe('Threads that run programs: "auto" follows the number of processors.'),
    executors: executorsSchema,
    executorMemoryMb: executorMemorySchema,
    cacheDir: systemText('a folder')
      .exactOptional()
      .describe(
        "Where built engines and compiled programs are kept; relative to the config file's folder. Default: the user's cache folder.",
      ),
    generatedDir: systemText('a folder')
      .default('generated')
      .describe("Where the TypeScript wrappers are written; relative to the config file's folder."),
  })
  .describe('Configuration of Ampoule.');

/** The file as written: defaults absent, paths relative. */
export type RawConfig = z.input<typeof configSchema>;
type ParsedConfig = z.output<typeof configSchema>;

/** The whole configuration: all defaults filled in, all paths absolute, all variables replaced. */
export interface Config extends Omit<ParsedConfig, '$schema'> {
  /** The folder that relative paths were resolved from: the config file's own. */
  readonly baseDir: string;
  /** The absolute path of the config file. */
  readonly file: string;
}
