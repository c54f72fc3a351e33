import { parseJson } from './json-source.ts';

/** Whether the text is JSON once its comments and trailing commas are taken out. */
export function isJsonWithComments(text: string): boolean {
  const bare = text
    .replace(/"(?:[^"\\\n]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (token) => (token.startsWith('"') ? token : ' '))
    .replace(/"(?:[^"\\\n]|\\.)*"|,(?=\s*[}\]])/g, (token) => (token === ',' ? ' ' : token));
  try {
    parseJson(bare);
    return true;
  } catch {
    return false;
  }
}
