import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configSchema } from '../../src/config/schema.ts';
import { defaultConfig } from '../../src/config/default-config.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'ampoule-default-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

function stdioServer(name: 'everything' | 'memory') {
  const config = configSchema.parse(defaultConfig({ nodePath: process.execPath, resolveFrom: root, dataDir: dir }));
  const server = config.mcpServers[name];
  if (server?.type !== 'stdio') throw new Error(`${name} is not there`);
  return server;
}

describe('the config without a file', () => {
  test('starts the two installed servers with the given Node', () => {
    expect(stdioServer('everything').command).toBe(process.execPath);
    expect(existsSync(stdioServer('everything').args[0] ?? '')).toBe(true);
    expect(stdioServer('everything').args[1]).toBe('stdio');
    expect(stdioServer('memory').env).toEqual({ MEMORY_FILE_PATH: join(dir, 'memory.jsonl') });
  });

  test.each(['everything', 'memory'] as const)('names a %s server that answers', (name) => {
    const { command, args, env } = stdioServer(name);
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } };
    const input = `${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params })}\n`;
    const { stdout } = spawnSync(command, args, { input, env, encoding: 'utf8', timeout: 20_000 });
    expect(stdout).toContain('"serverInfo"');
  });

  test('leaves out servers that are not installed or have no command', () => {
    const options = { nodePath: process.execPath, resolveFrom: dir, dataDir: dir };
    expect(defaultConfig(options)).toEqual({ mcpServers: {} });
    const broken = join(dir, 'node_modules', '@modelcontextprotocol', 'server-memory');
    mkdirSync(broken, { recursive: true });
    writeFileSync(join(broken, 'package.json'), '{}');
    expect(defaultConfig(options)).toEqual({ mcpServers: {} });
  });
});
