import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SandboxError } from '../../src/errors.ts';
import { errorOf, FILE, parse } from './parse.ts';

/** One server called `s`. */
const server = (entry: unknown) => ({ mcpServers: { s: entry } });

const INVALID: readonly (readonly [what: string, config: unknown, message: string])[] = [
  ['a document that is a list', [], 'the file: expected an object, got a list of 0'],
  ['a document that is null', null, 'the file: expected an object, got null'],
  [
    'an unknown key with the nearest right one',
    { limts: {} },
    'limts: unknown key, did you mean "limits"? Right keys: $schema, mcpServers,',
  ],
  ['an unknown key that is like no other', { zzzzzzzz: 1 }, 'zzzzzzzz: unknown key. Right keys: $schema, mcpServers,'],
  ['the name that other clients have for the servers', { servers: {} }, 'servers: unknown key, did you mean "mcpServers"?'],
  [
    'an unknown key of a stdio server',
    server({ command: 'x', comand: 'y' }),
    'mcpServers.s.comand: unknown key, did you mean "command"? Right keys: type, command, args,',
  ],
  [
    'an unknown key of an HTTP server',
    server({ url: 'http://h', header: {} }),
    'mcpServers.s.header: unknown key, did you mean "headers"? Right keys: type, url, headers,',
  ],
  ['a key of the other kind of server', server({ url: 'http://h', args: [] }), 'mcpServers.s.args: unknown key'],
  [
    'an unknown key of tools',
    server({ command: 'x', tools: { alow: [] } }),
    'mcpServers.s.tools.alow: unknown key, did you mean "allow"? Right keys: allow, deny',
  ],
  ['an unknown limit', { limits: { fule: 1 } }, 'limits.fule: unknown key, did you mean "fuel"?'],
  ['an unknown key of http', { http: { prot: 1 } }, 'http.prot: unknown key, did you mean "port"?'],
  [
    'the disabled key of other clients',
    server({ command: 'x', disabled: true }),
    'mcpServers.s.disabled: unknown key, did you mean "enabled": false?',
  ],
  ['a prototype as a key', '{"mcpServers": {"__proto__": {"command": "x"}}}', 'mcpServers.__proto__: the key is never a key here'],
  ['a key that stands twice', '{"http": {"port": 1, "port": 2}}', 'http.port: the key stands twice in the same object'],
  [
    'an unknown server type',
    server({ type: 'websocket', url: 'http://h' }),
    'mcpServers.s.type: unknown server type "websocket". Right types: "stdio", "http" (Streamable HTTP), "sse"',
  ],
  [
    'a misspelled server type',
    server({ type: 'stido', command: 'x' }),
    'mcpServers.s.type: unknown server type "stido", did you mean "stdio"? Right types:',
  ],
  ['a server type that is no text', server({ type: 1, command: 'x' }), 'mcpServers.s.type: unknown server type 1.'],
  [
    'a command with the type of a URL',
    server({ type: 'http', command: 'x' }),
    'mcpServers.s.type: expected "stdio", as the server has a "command", got "http"',
  ],
  [
    'a URL with the type of a command',
    server({ type: 'stdio', url: 'http://h' }),
    'mcpServers.s.type: expected "http" (Streamable HTTP) or "sse", as the server has a "url", got "stdio"',
  ],
  ['both a command and a URL', server({ command: 'x', url: 'http://h' }), 'mcpServers.s: expected either a "command" or a "url", got both'],
  [
    'neither a command nor a URL',
    server({ args: [] }),
    'mcpServers.s: expected a "command" (a server to start) or a "url" (a server to connect to), got neither',
  ],
  ['a server that is no object', server('npx x'), 'mcpServers.s: expected an object with a "command" or a "url", got "npx x"'],
  ['a list of servers', { mcpServers: [] }, 'mcpServers: expected an object, got a list of 0'],
  ['an empty command', server({ command: '' }), 'mcpServers.s.command: expected the program to start'],
  ['a command with a NUL character', server({ command: 'a\0b' }), 'mcpServers.s.command: expected the program to start'],
  [
    'a command line in place of a list',
    server({ command: 'x', args: '-y a' }),
    'mcpServers.s.args: expected a list of strings, got "-y a"',
  ],
  [
    'an argument that is a number',
    server({ command: 'x', args: ['a', 3] }),
    'mcpServers.s.args[1]: expected an argument (a string, without NUL characters), got 3',
  ],
  ['a URL that is none', server({ url: 'localhost' }), 'mcpServers.s.url: expected an http:// or https:// URL, got "localhost"'],
  [
    'a URL of another scheme',
    server({ url: 'file:///etc/passwd' }),
    'mcpServers.s.url: expected an http:// or https:// URL, got "file:///etc/passwd"',
  ],
  ['a URL without slashes', server({ url: 'http:host' }), 'mcpServers.s.url: expected an http:// or https:// URL, got "http:host"'],
  ['text in place of a truth value', server({ command: 'x', enabled: 'no' }), 'mcpServers.s.enabled: expected true or false, got "no"'],
  [
    'a text in place of a glob list',
    server({ command: 'x', tools: { allow: '*' } }),
    'mcpServers.s.tools.allow: expected a list of globs of tool names, got "*"',
  ],
  [
    'a variable name with an equals sign',
    server({ command: 'x', env: { 'A=B': 'x' } }),
    'mcpServers.s.env["A=B"]: the name "A=B" cannot be used',
  ],
  [
    'a header name with a space',
    server({ url: 'http://h', headers: { 'A B': 'x' } }),
    'mcpServers.s.headers["A B"]: the name "A B" cannot be used',
  ],
  [
    'a header value with a line break',
    server({ url: 'http://h', headers: { A: 'x\r\nB: y' } }),
    'mcpServers.s.headers.A: expected one line of ISO-8859-1 text, got a string (hidden)',
  ],
  [
    'a server name with a slash',
    { mcpServers: { 'a/b': { command: 'x' } } },
    'mcpServers["a/b"]: the name "a/b" cannot be used: expected 1 to 64 of the characters',
  ],
  ['a server name that begins with a dot', { mcpServers: { '.a': { command: 'x' } } }, 'the name ".a" cannot be used'],
  ['an empty server name', { mcpServers: { '': { command: 'x' } } }, 'the name "" cannot be used'],
  ['a server name of 65 characters', { mcpServers: { ['a'.repeat(65)]: { command: 'x' } } }, 'cannot be used: expected 1 to 64'],
  [
    'a mount with the name of the wrappers',
    { mounts: { servers: '/' } },
    'mounts.servers: the name "servers" cannot be used: expected another name',
  ],
  ['a mount name that climbs', { mounts: { '..': '/' } }, 'mounts[".."]: the name ".." cannot be used'],
  [
    'a mount that is no text',
    { mounts: { a: 1 } },
    'mounts.a: expected the path of a folder (a string, not empty, without NUL characters), got 1',
  ],
  [
    'a mount that does not exist',
    { mounts: { a: './no-such-folder' } },
    'mounts.a: expected a folder that exists, got "./no-such-folder", which is not there',
  ],
  ['a library that is a path', { libraries: ['./x'] }, 'libraries[0]: expected the name of an npm package'],
  ['a library with a version', { libraries: ['x@1'] }, 'libraries[0]: expected the name of an npm package'],
  ['a library file', { libraries: ['a/b.js'] }, 'libraries[0]: expected the name of an npm package'],
  ['a library with a scheme', { libraries: ['node:fs'] }, 'libraries[0]: expected the name of an npm package'],
  ['a library that is ours', { libraries: ['ampoule'] }, 'libraries[0]: expected another package'],
  ['a library twice', { libraries: ['a', 'a'] }, 'libraries: expected a list that has each package once'],
  [
    'a host with a scheme',
    { http: { host: 'http://h' } },
    'http.host: expected a host name or IP address, without scheme or path, got "http://h"',
  ],
  ['a path without a slash', { http: { path: 'mcp' } }, 'http.path: expected a path that starts with / and has no query, got "mcp"'],
  ['a path with a query', { http: { path: '/mcp?a' } }, 'http.path: expected a path that starts with /'],
  [
    'an origin without scheme',
    { http: { allowedOrigins: ['h'] } },
    'http.allowedOrigins[0]: expected an origin such as https://app.example.com, got "h"',
  ],
  ['any origin', { http: { allowedOrigins: ['*'] } }, 'http.allowedOrigins[0]: expected an origin'],
  [
    'a host with a path',
    { http: { allowedHosts: ['h/x'] } },
    'http.allowedHosts[0]: expected a host name, without scheme or path, got "h/x"',
  ],
  [
    'a misspelled log level',
    { log: { level: 'wran' } },
    'log.level: expected one of "debug", "info", "warn", "error", "silent", got "wran"; did you mean "warn"?',
  ],
  ['a log format of another type', { log: { format: true } }, 'log.format: expected one of "pretty", "json", got true'],
  ['workers in words', { workers: 'many' }, 'workers: expected "auto" or a whole number from 1 to 64, got "many"'],
  ['no executor', { executors: 0 }, 'executors: expected a whole number from 1 to 16, got 0'],
  ['too many executors', { executors: 17 }, 'executors: expected a whole number from 1 to 16, got 17'],
  [
    'too little memory',
    { executorMemoryMb: 511 },
    'executorMemoryMb: expected "auto" or a whole number of MiB from 512 to 1048576, got 511',
  ],
  [
    'a limit in words',
    { principals: { '*': { runsPerMinute: 'many' } } },
    'principals["*"].runsPerMinute: expected "unlimited" or a whole number of runs from 1 to 1000000, got "many"',
  ],
  [
    'a limit of an unknown name',
    { principals: { local: { runPerMinute: 1 } } },
    'principals.local.runPerMinute: unknown key, did you mean "runsPerMinute"?',
  ],
  [
    'a principal with a line break',
    { principals: { 'key:a\n': {} } },
    'the name "key:a\\n" cannot be used: expected the id of a principal or a glob of ids',
  ],
  [
    'policies of a principal for a server that there is not',
    { mcpServers: { mail: { command: 'x' } }, principals: { '*': { policies: { servers: { mial: { policy: 'deny' } } } } } },
    'there is no server "mial" in mcpServers, did you mean "mail"?',
  ],
  ['another way to fail', { audit: { onFailure: 'stop' } }, 'audit.onFailure: expected one of "warn", "refuse", got "stop"'],
  [
    'an audit that nobody can write',
    { audit: { store: false, onFailure: 'refuse' } },
    'audit: expected a place to write to, "store": true or a "file", where nothing may run unrecorded ("onFailure": "refuse"), got an object with 2 keys',
  ],
  ['a group that is a path', { executions: { group: 'a/b' } }, 'executions.group: expected a name of letters, digits, ".", "_" and "-"'],
  ['a group without a name', { executions: { group: '' } }, 'executions.group: expected a name of letters'],
  ['a group with too long a name', { executions: { group: 'x'.repeat(65) } }, 'executions.group: expected a name of letters'],
  [
    'another way with calls',
    { executions: { interruptedCalls: 'repeat' } },
    'executions.interruptedCalls: expected one of "fail", "ask", got "repeat"',
  ],
  [
    'another way with engines',
    { executions: { engineChanged: 'drop' } },
    'executions.engineChanged: expected one of "keep", "fail", got "drop"',
  ],
  ['an audit without a file name', { audit: { file: '' } }, 'audit.file: expected'],
  ['half a worker', { workers: 1.5 }, 'workers: expected "auto" or a whole number from 1 to 64, got 1.5'],
  ['a variable of another form', { cacheDir: '${HOME}/x' }, 'cacheDir: expected ${env:NAME} or ${env:NAME:-default}, got another ${...}'],
  [
    'a variable that is not closed',
    { cacheDir: '${env:HOME' },
    'cacheDir: expected ${env:NAME} or ${env:NAME:-default}, got another ${...}',
  ],
];

describe('a config that is wrong', () => {
  test.each(INVALID)('is refused for %s', (_what, config, message) => {
    const error = errorOf(config);
    expect(error.code).toBe('ERR_CONFIG_INVALID');
    expect(error.message).toContain(message);
    expect(error.message).toMatch(/^\/etc\/ampoule\/ampoule\.json:1:\d+: /);
    expect(error.details.diagnostics).toBeUndefined();
  });

  test('is told with line, column and source line', () => {
    const error = errorOf('{\n  "http": {\n    "port": "80"\n  }\n}');
    expect(error.message).toBe(`${FILE}:3:13: http.port: expected a whole number from 0 to 65535, got "80"`);
    expect(error.details.location).toEqual({ line: 3, column: 13, source: '    "port": "80"' });
  });

  test('is told with all that is wrong at once, in the order of the file', () => {
    const error = errorOf(
      '{\n"workers": 0,\n"mcpServers": {"a": {"comand": "x"}},\n"log": {"level": 1},\n"mounts": {"a": "${env:NO}"},\n"lbraries": []\n}',
    );
    expect(error.code).toBe('ERR_CONFIG_INVALID');
    expect(error.message).toMatch(/^\S+:2:12: workers: .*\(the first of 6 problems\)$/);
    const found = error.details.diagnostics?.map(({ message }) => message.replace(/^\S+?:(\d+):\d+: ([\w.]+): .*$/, '$1 $2'));
    expect(found).toEqual(['2 workers', '3 mcpServers.a', '3 mcpServers.a.comand', '4 log.level', '5 mounts.a', '6 lbraries']);
  });

  test('is shown by its beginning when a value is long', () => {
    const { message } = errorOf({ log: { level: 'x'.repeat(5_000) } });
    expect(message.length).toBeLessThan(300);
  });

  test('ends in a coded error whatever JSON it is', () => {
    const keys = [
      'mcpServers',
      'type',
      'command',
      'url',
      'env',
      'limits',
      'mounts',
      'http',
      'workers',
      'libraries',
      '__proto__',
      'a',
      '${env:A}',
    ];
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom<unknown>(null, 1, true, 'x', 'http://h', 'http', '${env:A}', '${env:B}', '${'),
        tie('list'),
        tie('object'),
      ),
      list: fc.array(tie('tree'), { maxLength: 3 }),
      object: fc.dictionary(fc.constantFrom(...keys), tie('tree'), { maxKeys: 4 }),
    }));
    const servers = fc.dictionary(fc.constantFrom('a', 'b'), fc.dictionary(fc.constantFrom(...keys), tree, { maxKeys: 3 }));
    fc.assert(
      fc.property(fc.oneof(tree, fc.record({ mcpServers: servers, mounts: tree })), (value) => {
        expect(ending(value)).toMatch(/^(?:accepted|ERR_CONFIG_(?:INVALID|VARIABLE))$/);
      }),
      { numRuns: 150 },
    );
  });
});

function ending(config: unknown): string {
  try {
    parse(JSON.stringify(config), { A: 'http' });
    return 'accepted';
  } catch (error) {
    return error instanceof SandboxError ? error.code : String(error);
  }
}
