import type { JsonPath } from './json-source.ts';

/** One thing that is wrong with a config file. The message says what was expected and what was found, not where. */
export interface Finding {
  readonly kind: 'invalid' | 'variable';
  readonly path: JsonPath;
  readonly message: string;
  readonly hint?: string;
  /** It is the key that is wrong, not its value. */
  readonly atKey?: boolean;
  /** Where in the text, if not at the path's own place. */
  readonly offset?: number;
}

/** `mcpServers.github.args[0]`; a key with other characters is quoted: `mounts["my docs"]`. */
export function pathText(path: JsonPath): string {
  const text = path.map((word) => (typeof word === 'string' && /^[\w$-]+$/.test(word) ? `.${word}` : `[${JSON.stringify(word)}]`)).join('');
  return text === '' ? 'the file' : text.replace(/^\./, '');
}

/** Whether `path` is at or under `root`. */
export function isUnder(path: JsonPath, root: JsonPath): boolean {
  return root.every((word, index) => path[index] === word);
}
