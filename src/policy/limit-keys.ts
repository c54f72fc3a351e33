/** A key of `limits.tools`. */
export interface LimitKey {
  readonly text: string;
  matches(server: string, tool: string): boolean;
}

/**
 * A key such as `tickets.create` or `tickets.*`: only `*` is special in it. Callers write these, not operators: whatever they write, a match takes
 * time by its length and no more.
 */
export function compileLimitKey(text: string): LimitKey {
  const isPlain = !text.includes('*');
  return { text, matches: (server, tool) => (isPlain ? text === `${server}.${tool}` : fits(text, `${server}.${tool}`)) };
}

/** Whether a text is as the pattern has it, where each `*` stands for any characters. */
function fits(pattern: string, text: string): boolean {
  let [at, star, from] = [0, -1, 0];
  for (let next = 0; next < text.length;) {
    if (pattern[at] === '*') {
      star = at++;
      from = next;
    } else if (pattern[at] === text[next]) {
      at++;
      next++;
    } else if (star >= 0) {
      at = star + 1;
      next = ++from;
    } else return false;
  }
  while (pattern[at] === '*') at++;
  return at === pattern.length;
}
