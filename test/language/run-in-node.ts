/** Plain Node: takes a list of modules of TypeScript from standard input and prints the list of what they export as default. */
import { text } from 'node:stream/consumers';
import { transform } from 'esbuild';

// Timers of signals do not keep Node alive.
const alive = setInterval(() => undefined, 1_000);
const results: string[] = [];
const sources = JSON.parse(await text(process.stdin)) as string[];
const scripts = await Promise.all(
  sources.map((source) => transform(source, { loader: 'ts', format: 'esm', target: 'node24', tsconfigRaw: '{}' })),
);
for (const { code: script } of scripts) {
  const address = `data:text/javascript;base64,${Buffer.from(script).toString('base64')}`;
  try {
    results.push(String(((await import(address)) as { default: unknown }).default));
  } catch (error) {
    results.push(`Node failed: ${error instanceof Error ? error.stack : String(error)}`);
  }
}
process.stdout.write(JSON.stringify(results));
clearInterval(alive);
