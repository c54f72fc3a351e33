/** More skills than this behind one piece of code are refused: each is checked and bundled with it. */
export const MAX_MODULES = 32;

/** A walk from imported names through all that these import. */
export interface Closure<T> {
  readonly found: ReadonlyMap<string, T>;
  /** The first circle that was met, such as `['a', 'b', 'a']`. */
  readonly circle?: readonly string[];
  readonly isTooLarge: boolean;
}

/**
 * Follows imports to their ends.
 * @param start - the name of what imports, when it has one: a way back to it is a circle too.
 */
export function closureOf<T>(
  imports: readonly string[],
  find: (name: string) => T | undefined,
  importsIn: (module: T) => readonly string[],
  start?: string,
): Closure<T> {
  const found = new Map<string, T>();
  const path: string[] = start === undefined ? [] : [start];
  let circle: readonly string[] | undefined;
  let isTooLarge = false;
  const visit = (name: string): void => {
    const at = path.indexOf(name);
    if (at >= 0) circle ??= [...path.slice(at), name];
    if (at >= 0 || found.has(name) || isTooLarge) return;
    const module = find(name);
    if (module === undefined) return;
    if (found.size >= MAX_MODULES) return void (isTooLarge = true);
    found.set(name, module);
    path.push(name);
    for (const next of importsIn(module)) visit(next);
    path.pop();
  };
  for (const name of imports) visit(name);
  return { found, isTooLarge, ...(circle && { circle }) };
}

/** A circle in words: `a → b → a`. */
export function drawCircle(circle: readonly string[]): string {
  return circle.join(' → ');
}
