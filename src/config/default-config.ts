import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import type { RawConfig } from './schema.ts';

export interface DefaultConfigOptions {
  /** The Node executable that runs the servers. */
  readonly nodePath: string;
  /** Absolute path of the folder whose `node_modules` (or a parent's) has the servers. */
  readonly resolveFrom: string;
  /** Absolute path of a folder for the servers' own data. */
  readonly dataDir: string;
}

const packageJson = z.object({ bin: z.union([z.string(), z.record(z.string(), z.string())]) });

/** The config for when no file is given: those of two well-known MCP servers that are installed, started without a package manager. */
export function defaultConfig({ nodePath, resolveFrom, dataDir }: DefaultConfigOptions): RawConfig {
  const everything = binScript('@modelcontextprotocol/server-everything', resolveFrom);
  const memory = binScript('@modelcontextprotocol/server-memory', resolveFrom);
  return {
    mcpServers: {
      ...(everything === undefined ? {} : { everything: { command: nodePath, args: [everything, 'stdio'] } }),
      ...(memory === undefined
        ? {}
        : { memory: { command: nodePath, args: [memory], env: { MEMORY_FILE_PATH: join(dataDir, 'memory.jsonl') } } }),
    },
  };
}

/** Absolute path of the script behind a package's command; undefined when the package is not installed or has none. */
function binScript(name: string, resolveFrom: string): string | undefined {
  const manifest = findManifest(name, resolveFrom);
  if (manifest === undefined) return undefined;
  const parsed = packageJson.safeParse(JSON.parse(readFileSync(manifest, 'utf8')));
  if (!parsed.success) return undefined;
  const { bin } = parsed.data;
  const script = typeof bin === 'string' ? bin : Object.values(bin)[0];
  return script === undefined ? undefined : join(dirname(manifest), script);
}

function findManifest(name: string, resolveFrom: string): string | undefined {
  try {
    return findPackageJSON(name, pathToFileURL(join(resolveFrom, 'package.json')));
  } catch {
    return undefined;
  }
}
