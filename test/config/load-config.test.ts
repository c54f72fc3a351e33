import { mkdtempSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LIMITS } from '../../src/limits.ts';
import { loadConfig, parseConfig } from '../../src/config/load-config.ts';
import { parse } from './parse.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'ampoule-config-'));
  mkdirSync(join(dir, 'docs'));
  writeFileSync(join(dir, 'file.txt'), 'x');
});
afterAll(() => rmSync(dir, { recursive: true }));

const stdioDefaults = { type: 'stdio', args: [], env: {}, enabled: true, timeoutMs: 60_000, tools: { allow: ['*'], deny: [] } };
const httpDefaults = { type: 'http', headers: {}, enabled: true, timeoutMs: 60_000, tools: { allow: ['*'], deny: [] } };

describe('a config that is right', () => {
  test('gets every default when it is empty', () => {
    expect(parse({})).toEqual({
      answers: 'auto',
      discovery: { descriptionTokens: 1_000 },
      language: { locales: ['en'], timeZones: 'all' },
      types: { learn: true, outputs: 'warn' },
      skills: 'off',
      policies: {
        default: 'annotations',
        servers: {},
        dataFlow: [],
        personalData: { servers: [], kinds: ['email', 'phone', 'card', 'key'], patterns: {} },
      },
      logins: {},
      principals: {},
      audit: { store: true, values: false, retentionDays: 30, maxBytes: 268_435_456, onFailure: 'warn' },
      executions: { interruptedCalls: 'fail', engineChanged: 'keep' },
      auth: { keys: false },
      mcpServers: {},
      mounts: {},
      libraries: [],
      limits: Object.fromEntries(Object.entries(LIMITS).map(([name, limit]) => [name, limit.default])),
      http: { host: '127.0.0.1', port: 8338, path: '/mcp', allowedHosts: [], allowedOrigins: [] },
      log: { level: 'info', format: 'pretty' },
      check: 'error',
      engine: 'quickjs',
      workers: 'auto',
      executors: 1,
      executorMemoryMb: 'auto',
      generatedDir: '/etc/ampoule/generated',
      baseDir: '/etc/ampoule',
      file: '/etc/ampoule/ampoule.json',
    });
  });

  test('keeps what it says and fills in the rest', () => {
    const config = parse({
      limits: { maxToolCalls: 0 },
      http: { port: 0 },
      log: { level: 'debug' },
      workers: 64,
      libraries: ['lodash-es', '@scope/x'],
    });
    expect(config.limits.maxToolCalls).toBe(0);
    expect(config.limits.fuel).toBe(LIMITS.fuel.default);
    expect(config.http).toMatchObject({ host: '127.0.0.1', port: 0 });
    expect(config.log).toEqual({ level: 'debug', format: 'pretty' });
    expect(config.workers).toBe(64);
    expect(config.libraries).toEqual(['lodash-es', '@scope/x']);
  });

  test('takes a command as a stdio server and a URL as an HTTP server', () => {
    const { mcpServers } = parse({ mcpServers: { a: { command: 'x' }, b: { url: 'https://h/mcp' } } });
    expect(mcpServers['a']).toEqual({ ...stdioDefaults, command: 'x' });
    expect(mcpServers['b']).toEqual({ ...httpDefaults, url: 'https://h/mcp' });
  });

  test.each([
    ['http', 'http'],
    ['streamable-http', 'http'],
    ['streamableHttp', 'http'],
    ['streamable_http', 'http'],
    ['sse', 'sse'],
  ])('takes the server type %s as %s', (type, meant) => {
    expect(parse({ mcpServers: { a: { type, url: 'http://h' } } }).mcpServers['a']?.type).toBe(meant);
  });

  test('sorts servers and mounts by name and has no prototype under their names', () => {
    const { mcpServers, mounts } = parse({
      mcpServers: { b: { command: 'x' }, constructor: { command: 'y' }, B: { command: 'z' } },
      mounts: { z: '/', a: '/' },
    });
    expect(Object.keys(mcpServers)).toEqual(['B', 'b', 'constructor']);
    expect(Object.keys(mounts)).toEqual(['a', 'z']);
    expect(mcpServers['toString']).toBeUndefined();
    expect(mounts['toString']).toBeUndefined();
  });

  test('resolves relative paths from the folder of the file', () => {
    const text = JSON.stringify({
      mcpServers: { a: { command: 'x', cwd: 'docs' } },
      mounts: { docs: './docs', root: '/' },
      cacheDir: '../cache',
      generatedDir: 'gen',
    });
    const config = parseConfig(text, { file: join(dir, 'ampoule.json'), environment: {} });
    expect(config.mcpServers['a']).toMatchObject({ cwd: join(dir, 'docs') });
    expect(config.mounts).toEqual({ docs: join(dir, 'docs'), root: '/' });
    expect(config.cacheDir).toBe(join(dir, '..', 'cache'));
    expect(config.generatedDir).toBe(join(dir, 'gen'));
  });

  test('may begin with a byte order mark and name its schema', () => {
    expect(parse('\uFEFF{"$schema": "./ampoule.schema.json"}')).not.toHaveProperty('$schema');
  });
});

describe('reading the file', () => {
  test('reads it from disk', async () => {
    const file = join(dir, 'read.json');
    writeFileSync(file, '{"http": {"port": 1}}');
    expect((await loadConfig({ file, environment: {} })).http.port).toBe(1);
  });

  test.each([
    ['missing.json', 'does not exist'],
    ['docs', 'is a folder'],
    ['file.txt/x.json', 'cannot be read (ENOTDIR)'],
  ])('refuses %s: it %s', async (name, reason) => {
    const file = join(dir, name);
    await expect(loadConfig({ file, environment: {} })).rejects.toMatchObject({
      code: 'ERR_CONFIG_NOT_FOUND',
      message: `${file}: the config file ${reason}`,
      details: { hint: expect.stringContaining('--config') },
    });
  });

  test('refuses mounts that are not folders and says why', () => {
    const text = JSON.stringify({ mounts: { gone: 'gone', file: 'file.txt', home: '~/docs', fine: 'docs' } });
    const load = () => parseConfig(text, { file: join(dir, 'ampoule.json'), environment: {} });
    expect(load).toThrow(
      expect.objectContaining({
        code: 'ERR_CONFIG_INVALID',
        details: expect.objectContaining({
          diagnostics: [
            expect.objectContaining({
              message: expect.stringContaining('mounts.gone: expected a folder that exists, got "gone", which is not there'),
            }),
            expect.objectContaining({
              message: expect.stringContaining('mounts.file: expected a folder that exists, got "file.txt", which is not a folder'),
            }),
            expect.objectContaining({ message: expect.stringContaining('mounts.home: ') }),
          ],
        }),
      }),
    );
  });

  test('has to be given an absolute path', () => {
    expect(() => parseConfig('{}', { file: 'ampoule.json', environment: {} })).toThrow(TypeError);
  });
});
