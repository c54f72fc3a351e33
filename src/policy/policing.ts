import type { Policies } from '../config/policy-schema.ts';
import type { Principals } from '../config/principals-schema.ts';
import type { Diagnostic } from '../errors.ts';
import { nearestName } from '../nearest-name.ts';
import type { Catalog, CatalogTool } from '../upstream/catalog.ts';
import { createCallBudgets } from './call-budgets.ts';
import { createDataFlow } from './data-flow.ts';
import { createPersonalData } from './personal-data.ts';
import { RunPolicies } from './run-policies.ts';
import { compileLimitKey } from './limit-keys.ts';
import { createPrincipalRules } from './principal-rules.ts';
import type { Verdict } from './tool-rules.ts';

export interface PolicingOptions {
  readonly policies: Policies;
  /** Some of them have policies of their own. Default: none. */
  readonly principals?: Principals;
  /** How long the values behind tokens are kept after their last use, in milliseconds. */
  readonly ttlMs: number;
  readonly now?: () => number;
}

export interface PolicedRun {
  readonly principal: string;
  /** `limits.tools` of the call. */
  readonly tools?: Readonly<Record<string, number>> | undefined;
  readonly dryRun?: boolean | undefined;
  readonly catalog: Catalog;
}

/** The operator's policies, ready to judge runs. */
export interface Policing {
  begin(run: PolicedRun): RunPolicies;
  /** Whether a person may be asked about a call of any tool that there is now, for whomever. The same answer for the same catalog. */
  asks(catalog: Catalog): boolean;
  /** What is said of calls of a tool by a principal. */
  decision(principal: string, server: string, tool: CatalogTool): Verdict['decision'];
}

export function createPolicing({ policies, principals = {}, ttlMs, now }: PolicingOptions): Policing {
  const rules = createPrincipalRules(policies, principals);
  const flow = createDataFlow(policies.dataFlow);
  const personal = createPersonalData(policies.personalData, ttlMs, now);
  const asking = new WeakMap<Catalog, boolean>();
  return {
    begin: ({ principal, tools, dryRun = false, catalog }) => {
      const parts = {
        rules: rules.of(principal),
        budgets: createCallBudgets(tools),
        flow: flow?.begin(),
        personal: personal?.begin(principal),
        dryRun,
      };
      return new RunPolicies(parts, tools && unknownLimits(tools, catalog));
    },
    asks: (catalog) => {
      const mayAsk = (server: string, tool: CatalogTool): boolean => rules.all.some((some) => some(server, tool).decision === 'ask');
      const known = asking.get(catalog) ?? catalog.servers.some(({ name, tools }) => tools.some((tool) => mayAsk(name, tool)));
      asking.set(catalog, known);
      return known;
    },
    decision: (principal, server, tool) => rules.of(principal)(server, tool).decision,
  };
}

/** Of keys that mean nothing, so many are told. */
const MAX_WARNINGS = 20;

/** Warnings about `limits.tools` that mean no tool of the catalog: they would protect nothing. */
function unknownLimits(tools: Readonly<Record<string, number>>, { servers }: Catalog): Diagnostic[] {
  const all = servers.flatMap(({ name, tools: ofServer }) => ofServer.map((tool) => ({ server: name, tool: tool.name })));
  const names = new Set(all.map(({ server, tool }) => `${server}.${tool}`));
  const unknown = Object.keys(tools).filter((text) => {
    if (names.has(text)) return false;
    const key = compileLimitKey(text);
    return !all.some(({ server, tool }) => key.matches(server, tool));
  });
  // A name that is near takes a look at all of them.
  return unknown.slice(0, MAX_WARNINGS).map((key) => {
    const near = nearestName(key, names);
    const meant = near === undefined ? '' : ` Did you mean ${JSON.stringify(near)}?`;
    return { code: 'WARN_LIMIT_UNKNOWN', message: `limits.tools names ${JSON.stringify(key)}, which is no tool that there is.${meant}` };
  });
}
