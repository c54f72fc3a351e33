import type { Policies } from '../config/policy-schema.ts';
import { compileGlob } from '../glob.ts';
import type { CatalogTool } from '../upstream/catalog.ts';

type Decision = 'allow' | 'ask' | 'deny';

/** A number of calls that one run may make of the tools that a key of the config names. */
export interface CallBudget {
  /** Where the operator wrote it, such as `policies.servers.tickets.tools.create.maxCalls`. */
  readonly rule: string;
  readonly maxCalls: number;
}

/** What the operator's policies say of one tool. */
export interface Verdict {
  readonly decision: Decision;
  /** Where the operator wrote the decision, or what it follows from. */
  readonly rule: string;
  /** All budgets that a call counts in. */
  readonly budgets: readonly CallBudget[];
}

/** Judges a tool of a server. The same object for the same tool. */
export type ToolRules = (server: string, tool: CatalogTool) => Verdict;

interface Entry {
  readonly key: string;
  readonly rule: string;
  readonly matches: (name: string) => boolean;
  readonly policy: Decision | undefined;
  readonly budget: CallBudget | undefined;
}

const STRICTNESS: Record<Decision, number> = { allow: 0, ask: 1, deny: 2 };

/**
 * Compiles the operator's policies. The most specific one decides: the tool's name, else the longest glob (of several as long the strictest), else the
 * server's, else the default.
 * @param at where they stand in the config file
 */
export function createToolRules({ default: fallback, servers }: Pick<Policies, 'default' | 'servers'>, at = 'policies'): ToolRules {
  const compiled = new Map(Object.entries(servers).map(([name, policy]) => [name, compileServer(`${at}.servers.${name}`, policy)]));
  // A catalog keeps the object of a tool as long as nothing about it changes.
  const known = new Map<string, WeakMap<CatalogTool, Verdict>>();
  return (server, tool) => {
    let ofServer = known.get(server);
    if (ofServer === undefined) known.set(server, (ofServer = new WeakMap()));
    let verdict = ofServer.get(tool);
    if (verdict === undefined) ofServer.set(tool, (verdict = judge(compiled.get(server), tool, fallback, at)));
    return verdict;
  };
}

interface CompiledServer {
  readonly rule: string;
  readonly policy: Decision | undefined;
  readonly budget: CallBudget | undefined;
  readonly entries: readonly Entry[];
}

/** The stricter decision, and the budgets of both. */
export function stricterOf(a: Verdict, b: Verdict): Verdict {
  const { decision, rule } = STRICTNESS[b.decision] > STRICTNESS[a.decision] ? b : a;
  return { decision, rule, budgets: [...a.budgets, ...b.budgets] };
}

function compileServer(rule: string, { policy, maxCalls, tools }: Policies['servers'][string]): CompiledServer {
  const entries = Object.entries(tools).map(([key, tool]): Entry => {
    const at = `${rule}.tools[${JSON.stringify(key)}]`;
    return { key, rule: `${at}.policy`, matches: compileGlob(key), policy: tool.policy, budget: budgetOf(at, tool.maxCalls) };
  });
  return { rule: `${rule}.policy`, policy, budget: budgetOf(rule, maxCalls), entries };
}

function budgetOf(rule: string, maxCalls: number | undefined): CallBudget | undefined {
  return maxCalls === undefined ? undefined : { rule: `${rule}.maxCalls`, maxCalls };
}

function judge(server: CompiledServer | undefined, tool: CatalogTool, fallback: Policies['default'], at: string): Verdict {
  const entries = (server?.entries ?? []).filter(({ key, matches }) => key === tool.name || matches(tool.name));
  const budgets = [server?.budget, ...entries.map(({ budget }) => budget)].filter((budget) => budget !== undefined);
  return { ...decide(server, entries, tool, fallback, at), budgets };
}

function decide(
  server: CompiledServer | undefined,
  entries: readonly Entry[],
  tool: CatalogTool,
  fallback: Policies['default'],
  at: string,
): Omit<Verdict, 'budgets'> {
  const [best] = entries
    .flatMap(({ policy, ...entry }) => (policy === undefined ? [] : [{ ...entry, policy }]))
    .sort(
      (a, b) =>
        Number(b.key === tool.name) - Number(a.key === tool.name) ||
        b.key.length - a.key.length ||
        STRICTNESS[b.policy] - STRICTNESS[a.policy],
    );
  if (best !== undefined) return { decision: best.policy, rule: best.rule };
  if (server?.policy !== undefined) return { decision: server.policy, rule: server.rule };
  if (fallback !== 'annotations') return { decision: fallback, rule: `${at}.default` };
  const isDestructive = tool.annotations?.destructiveHint === true;
  return { decision: isDestructive ? 'ask' : 'allow', rule: `${at}.default, as the tool says that it is destructive` };
}
