import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';

/** The packages whose output an engine is made of. Read, not imported: loading them takes longer than starting the server. */
const TOOLS = ['@bytecodealliance/componentize-js', '@bytecodealliance/jco', 'componentize-qjs'] as const;

/** `name@version` of every build tool, for the engine's hash. */
export function toolVersions(): string[] {
  return TOOLS.map((name) => `${name}@${installedVersion(name)}`);
}

function installedVersion(name: string): string {
  const path = findPackageJSON(name, import.meta.url);
  if (path === undefined) throw new TypeError(`the package ${name} is not installed`);
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as { version?: unknown };
  return String(manifest.version);
}
