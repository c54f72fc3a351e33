import { describeExample } from './describe-example.ts';
import { serverCounts } from './describe-servers.ts';
import type { DescriptionSource } from './sandbox-port.ts';

/** Servers that the guide names; the others are found by searching. */
const MAX_SERVERS = 10;

const known = new WeakMap<DescriptionSource['wrappers'], { catalog: DescriptionSource['catalog']; text: string }>();

/** How to solve a task with `execute_code`, for models. The same catalog gives the same text. */
export function guideText(source: DescriptionSource): string {
  const last = known.get(source.wrappers);
  if (last?.catalog === source.catalog) return last.text;
  const text = render(source);
  known.set(source.wrappers, { catalog: source.catalog, text });
  return text;
}

function render({ wrappers, catalog }: DescriptionSource): string {
  return `# Solve a task with execute_code

1. Find functions with search_tools, such as { "query": "list open issues" }; "detail": "full" gives types and documentation. ${servers(wrappers)}
2. Write one program for the whole task: call, filter, join and count in code, independent calls together with Promise.all.

${describeExample(wrappers.tools, wrappers.catalog ?? catalog)}

3. Return what answers the task, not what the tools gave: numbers, names, a few fields. Read large values in the program.
4. Before the first change of something that matters, run with "dryRun": true: the answer lists the calls that would change something.
5. For several steps pass "session": "new", then the handle of the answer; what getState() holds stays.
6. An answer "waiting" is not the end: the run goes on, and wait_execution with its executionId gets the rest.
7. On failure, correct the code at the line that the error names. Calls listed in "calls" have happened: do not repeat them blindly.
`;
}

function servers(wrappers: DescriptionSource['wrappers']): string {
  const counts = serverCounts(wrappers);
  const shown = counts.slice(0, MAX_SERVERS).map(({ folder, count }) => `${folder} (${count})`);
  const more = counts.length - shown.length;
  if (shown.length === 0) return 'No server is connected at the moment.';
  return `Servers: ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}.`;
}
