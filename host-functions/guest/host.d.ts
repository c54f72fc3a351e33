/** The raw host functions, as `world.wit` names them. Their objects and errors belong to another realm: never hand them to a program. */
declare module 'ampoule:sandbox/host' {
  export function callTool(server: string, tool: string, args: string): number;
  /** Throws an error whose message is the JSON text of `{ code, message, hint? }`. */
  export function readFile(path: string): ArrayLike<number> & object;
  export function getState(): string;
  export function log(level: string, message: string): void;
}
