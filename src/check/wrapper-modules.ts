import type { WrapperSet } from '../wrappers/wrapper-set.ts';

/** Folder of everything that exists for the checker; a name that cannot be mistaken in a message. */
export const VIRTUAL_ROOT = '/ampoule-check';

const DECLARED =
  /^export\s+(?:declare\s+)?(?:async\s+)?(?:interface|type|function\*?|const|class|enum|namespace)\s+([\w$]+)|^(?:declare\s+)?(?:interface|type|function|const|class|enum|namespace)\s+([\w$]+)/gmu;
const CALL_TOOL_IMPORT = /^import \{ callTool \} from "ampoule";$/mu;

/**
 * The files that a wrapper set has for the checker, by virtual path. Each server is one module: every import between files
 * would cost a question or more at every check that imports something else than the one before. A server whose files declare
 * the same name twice stays as it is.
 */
export function wrapperModules(wrappers: WrapperSet): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const [folder, tools] of filesByFolder(wrappers)) {
    const merged = merge(tools);
    const index = `${VIRTUAL_ROOT}/servers/${folder}/index.ts`;
    files.set(index, merged ?? wrappers.files.get(`${folder}/index.ts`) ?? 'export {};');
    for (const [name, text] of tools) files.set(`${VIRTUAL_ROOT}/servers/${folder}/${name}`, withoutImport(text));
  }
  return files;
}

function filesByFolder(wrappers: WrapperSet): Map<string, Map<string, string>> {
  const folders = new Map<string, Map<string, string>>();
  for (const [path, text] of wrappers.files) {
    const slash = path.lastIndexOf('/');
    if (slash < 0 || !path.endsWith('.ts')) continue;
    const folder = folders.get(path.slice(0, slash)) ?? new Map<string, string>();
    folders.set(path.slice(0, slash), folder);
    if (!path.endsWith('/index.ts')) folder.set(path.slice(slash + 1), text);
  }
  return folders;
}

function merge(tools: ReadonlyMap<string, string>): string | undefined {
  const names = new Set<string>();
  const texts: string[] = [];
  for (const text of tools.values()) {
    // Function overloads and merging within one file are its own affair.
    for (const name of declaredNames(text)) {
      if (names.has(name)) return undefined;
      names.add(name);
    }
    texts.push(withoutImport(text));
  }
  return texts.length === 0 ? undefined : texts.join('\n');
}

function declaredNames(text: string): Set<string> {
  return new Set([...text.matchAll(DECLARED)].map((match) => match[1] ?? match[2] ?? ''));
}

/** The bodies of wrappers are not checked, so that they need nothing. */
function withoutImport(text: string): string {
  return text.replace(CALL_TOOL_IMPORT, '');
}
