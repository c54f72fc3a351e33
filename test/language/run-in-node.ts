/** Plain Node: takes a list of modules from standard input and prints the list of what they export as default. */
import { text } from 'node:stream/consumers';

// Timers of signals do not keep Node alive.
const alive = setInterval(() => undefined, 1_000);
const results: string[] = [];
for (const script of JSON.parse(await text(process.stdin)) as string[]) {
  const address = `data:text/javascript;base64,${Buffer.from(script).toString('base64')}`;
  try {
    results.push(String(((await import(address)) as { default: unknown }).default));
  } catch (error) {
    results.push(`Node failed: ${error instanceof Error ? error.stack : String(error)}`);
  }
}
process.stdout.write(JSON.stringify(results));
clearInterval(alive);
