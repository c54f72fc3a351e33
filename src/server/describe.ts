import { ABSENT } from './describe-absent.ts';
import { describeExample } from './describe-example.ts';
import { describeServers } from './describe-servers.ts';
import { estimateTokens } from './estimate-tokens.ts';
import type { DescriptionSource } from './sandbox-port.ts';

/** Most tokens of the whole description, when the operator does not say. */
const DEFAULT_TOKENS = 1_000;
/** Of a small budget this part is for the rules, the rest for the servers. */
const SHARE_OF_RULES = 0.75;
const MAX_LISTED = 20;

const known = new WeakMap<DescriptionSource['wrappers'], { source: DescriptionSource; text: string }>();

/**
 * The description of `execute_code`: all that an agent needs to write code for it, within the operator's budget of tokens. The same
 * catalog, wrappers and limits give the same text, byte for byte. Every client carries it with every request: each sentence has to
 * earn its place.
 */
export function describeTool(source: DescriptionSource): string {
  const last = known.get(source.wrappers);
  if (last && last.source.catalog === source.catalog && last.source.limits === source.limits) return last.text;
  const text = render(source);
  known.set(source.wrappers, { source: { ...source }, text });
  return text;
}

function render(source: DescriptionSource): string {
  const { wrappers, catalog, descriptionTokens = DEFAULT_TOKENS } = source;
  const tools = wrappers.tools.toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
  const fixed = fixedPart(
    [...rulesOf(source), [7, describeExample(tools, wrappers.catalog ?? catalog)]],
    descriptionTokens * SHARE_OF_RULES,
  );
  return `${fixed}\n\n${describeServers(tools, catalog, descriptionTokens - estimateTokens(fixed) - 1)}`;
}

/** A sentence and how much a model needs it: of a small budget the least needed ones are left out. */
type Rule = readonly [need: number, text: string];

const ABOUT =
  'Runs TypeScript in a sandbox where the tools of MCP servers are async functions. Do a whole task in one run: call, filter, join, return only what matters.';

/** What is the same for every operator. */
const WRITING: readonly Rule[] = [
  [9, '- A module with top-level await; the result is what it `return`s. `input` is the argument "input".'],
  [8, '- Functions take one object. Promise.all runs calls together. A tool that fails throws ToolError (code, message).'],
  [
    6,
    '- "ampoule" exports readFile(path), getState<T>() (a live object), setState(key, value), log(level, message), sleep(ms), callTool(server, tool, args), ToolError.',
  ],
  [0, '- MCP images, audio and resources that you return reach you as content.'],
  [1, '- Types are checked before anything runs.'],
];

function rulesOf({ limits, libraries = [], mounts = [], skills = false }: DescriptionSource): Rule[] {
  const packages = `npm packages${libraries.length > 0 ? ` besides ${listed(libraries, (name) => name)}` : ''}`;
  const ends = `It ends ${duration(limits.sessionTtlMs)} after its last use.`;
  const most = `${duration(limits.timeoutMs)} computing, ${duration(limits.waitMs)} waiting, ${limits.maxToolCalls} tool calls`;
  return [
    ...WRITING,
    [5, `- ${ABSENT}; ${packages}.`],
    ...(mounts.length > 0 ? [[4, `- Files: ${listed(mounts, (name) => `readFile("${name}/<file>")`)}.`] as const] : []),
    ...(skills ? [[4, '- import { x } from "skills/<name>": modules saved with save_skill; search_tools finds them.'] as const] : []),
    [4, `- session: "new" keeps what getState() holds for later runs: pass the handle that comes back. ${ends}`],
    [3, '- wait and answerAfterMs answer before the end, with an executionId for wait_execution.'],
    [3, '- dryRun: true lists the calls that would change something instead of making them.'],
    [2, `- Limits: ${most}. Results over ${bytes(limits.maxResultBytes)} come shortened, with a link to the whole.`],
  ];
}

function listed(names: readonly string[], shown: (name: string) => string): string {
  const more = names.length > MAX_LISTED ? ` and ${names.length - MAX_LISTED} more` : '';
  return `${names.slice(0, MAX_LISTED).map(shown).join(', ')}${more}`;
}

/** The rules that fit, in their order. */
function fixedPart(rules: readonly Rule[], budget: number): string {
  const left = [...rules];
  const text = (): string => [ABOUT, ...left.map(([, rule]) => rule)].join('\n');
  while (left.length > 0 && estimateTokens(text()) > budget) {
    const least = Math.min(...left.map(([need]) => need));
    left.splice(
      left.findLastIndex(([need]) => need === least),
      1,
    );
  }
  return text();
}

function sortKey({ folder, functionName }: DescriptionSource['wrappers']['tools'][number]): string {
  return `${folder}/${functionName}`;
}

/** In the largest unit in which it is a whole number. */
function duration(ms: number): string {
  const units = [
    [86_400_000, 'days'],
    [3_600_000, 'h'],
    [60_000, 'min'],
    [1_000, 's'],
  ] as const;
  const [unit, name] = units.find(([each]) => ms > each && ms % each === 0) ?? [1, 'ms'];
  return `${ms / unit} ${name}`;
}

function bytes(count: number): string {
  return count >= 1_048_576 ? `${Math.round(count / 104_857.6) / 10} MB` : `${Math.round(count / 102.4) / 10} KB`;
}
