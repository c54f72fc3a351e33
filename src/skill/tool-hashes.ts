import type { WrapperSet, WrapperTool } from '../wrappers/wrapper-set.ts';
import type { ModuleUse, SkillVersion, ToolDependency } from './skill.ts';

interface Manifest {
  readonly servers?: readonly {
    readonly name: string;
    readonly tools: readonly { readonly name: string; readonly inputSchemaHash: string; readonly outputSchemaHash: string | null }[];
  }[];
}

const known = new WeakMap<WrapperSet, ReadonlyMap<string, string>>();

/** The tools that code can call, by what it imports and the calls that it spells out, each with the hash of its schemas. */
export function toolsIn(
  uses: readonly ModuleUse[],
  calls: readonly (readonly [server: string, tool: string])[],
  wrappers: WrapperSet,
): ToolDependency[] {
  const hashes = hashesOf(wrappers);
  const found = new Map<string, ToolDependency>();
  const add = (server: string, tool: string): void => {
    const key = keyOf(server, tool);
    const hash = hashes.get(key);
    if (hash !== undefined) found.set(key, { server, tool, hash });
  };
  for (const use of uses) for (const { server, tool } of wrappers.tools.filter((each) => isUsed(each, use))) add(server, tool);
  for (const [server, tool] of calls) add(server, tool);
  return [...found.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, dependency]) => dependency);
}

/** The tools of a skill that are not what they were when it was saved, as `server.tool`. */
export function changedTools({ depends }: Pick<SkillVersion, 'depends'>, wrappers: WrapperSet): { changed: string[]; gone: string[] } {
  const hashes = hashesOf(wrappers);
  const changed: string[] = [];
  const gone: string[] = [];
  for (const { server, tool, hash } of depends.tools) {
    const now = hashes.get(keyOf(server, tool));
    if (now === undefined) gone.push(`${server}.${tool}`);
    else if (now !== hash) changed.push(`${server}.${tool}`);
  }
  return { changed, gone };
}

function isUsed({ folder, functionName }: WrapperTool, { specifier, names }: ModuleUse): boolean {
  const path = specifier.replace(/^servers\//u, '').replace(/(?:\/index)?(?:\.[jt]s)?$/u, '');
  if (path === `${folder}/${functionName}`) return true;
  if (path !== folder) return false;
  if (names === '*') return true;
  const type = functionName.charAt(0).toUpperCase() + functionName.slice(1);
  return [functionName, `${type}Input`, `${type}Output`].some((name) => names.includes(name));
}

function hashesOf(wrappers: WrapperSet): ReadonlyMap<string, string> {
  const hashes = known.get(wrappers) ?? readManifest(wrappers.files.get('manifest.json'));
  known.set(wrappers, hashes);
  return hashes;
}

/** The manifest is our own text, written by the same process. */
function readManifest(text = '{}'): Map<string, string> {
  const { servers = [] } = JSON.parse(text) as Manifest;
  return new Map(
    servers.flatMap(({ name, tools }) =>
      tools.map((tool) => [keyOf(name, tool.name), `${tool.inputSchemaHash} ${tool.outputSchemaHash}`] as const),
    ),
  );
}

function keyOf(server: string, tool: string): string {
  return JSON.stringify([server, tool]);
}
