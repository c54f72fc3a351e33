import { describe, expect, test } from 'vitest';
import { errorOf, wholeText } from './parse.ts';

/** One server called `s`. */
const server = (entry: unknown) => ({ mcpServers: { s: entry } });

describe('secrets', () => {
  const SECRET = 'hunter2-4711';
  test.each([
    ['env', server({ command: 3, env: { TOKEN: SECRET } })],
    ['env of the wrong type', server({ command: 'x', env: SECRET })],
    ['a header that is not one line', server({ url: 'http://h', headers: { Authorization: `${SECRET}\n` } })],
    ['a key like env', server({ command: 'x', enviroment: { TOKEN: SECRET } })],
    ['a key like headers', server({ url: 'http://h', header: SECRET })],
    ['a key like a credential', { apiKey: SECRET }],
    ['a URL of the wrong scheme', server({ url: `ftp://user:${SECRET}@h/?key=${SECRET}` })],
    ['the default of a variable', server({ command: 'x', env: { A: `\${evn:A:-${SECRET}}` } })],
    ['a syntax error in env', `{"mcpServers": {"s": {"env": {"TOKEN": "${SECRET}" "B": 1}}}}`],
    ['a syntax error before a secret', `{"mcpServers": {"s": {"command" 1, "env": {"TOKEN": "${SECRET}"}}}}`],
    ['a secret without quotes', `{"mcpServers": {"s": {"env": {\n"TOKEN": ${SECRET} }}}}`],
    ['a secret without its first quote', `{"mcpServers": {"s": {"headers": {\n"A": x${SECRET}" }}}}`],
    ['a secret without its last quote', `{"mcpServers": {"s": {"headers": {\n"A": "${SECRET} }}}}`],
    ['a key without its last quote', `{"mcpServers": {"s": {"headers": {\n"A: "${SECRET}" }}}}`],
  ])('are not in the error about %s', (_what, config) => {
    expect(wholeText(errorOf(config))).not.toContain(SECRET.slice(0, 7));
  });

  test.each([
    ['a URL', server({ url: '${env:A}' })],
    ['a server type', server({ type: '${env:A}', command: 'x' })],
    ['a whole server', server('${env:A}')],
    ['a number', { http: { port: '${env:A}' } }],
    ['a folder', { mounts: { a: '${env:A}' } }],
    ['a choice', { log: { level: '${env:A}' } }],
    ['a path', { http: { path: '${env:A}' } }],
    ['the nearest name', { cacheDir: '${env:B}' }],
  ])('from variables are not in the error about %s', (_what, config) => {
    expect(wholeText(errorOf(config, { A: SECRET }))).not.toContain(SECRET);
  });
});
