import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generatedServers } from './generated-catalog.ts';

/** How to start an upstream server, in the form of the config file. */
export interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const MODULES = fileURLToPath(new URL('../../node_modules/@modelcontextprotocol/', import.meta.url));
const CATALOG_SERVER = fileURLToPath(new URL('catalog-server.ts', import.meta.url));
/** What the installed servers list; the suite counts again, and fails when a new version lists another number. */
const REAL_TOOLS = { memory: 9, filesystem: 14, everything: 13 };
const ALL_REAL = REAL_TOOLS.memory + REAL_TOOLS.filesystem + REAL_TOOLS.everything;

/** Servers that list `tools` tools together: the installed real ones where there is room for all of them, else one, and generated ones. */
export function serversFor(tools: number, folder: string): Record<string, ServerCommand> {
  const memory = packaged('memory', [], { MEMORY_FILE_PATH: join(folder, 'memory.jsonl') });
  const real =
    tools < ALL_REAL ? { memory } : { memory, filesystem: packaged('filesystem', [folder]), everything: packaged('everything', ['stdio']) };
  const left = tools - (tools < ALL_REAL ? REAL_TOOLS.memory : ALL_REAL);
  const generated = generatedServers(left).map(({ name }) => [
    name,
    { command: process.execPath, args: [CATALOG_SERVER, name, String(left)] },
  ]);
  return { ...real, ...Object.fromEntries(generated) };
}

function packaged(name: keyof typeof REAL_TOOLS, args: readonly string[], env: Record<string, string> = {}): ServerCommand {
  return { command: process.execPath, args: [join(MODULES, `server-${name}`, 'dist', 'index.js'), ...args], env };
}
