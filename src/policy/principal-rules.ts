import type { Policies } from '../config/policy-schema.ts';
import type { PrincipalPolicies, Principals } from '../config/principals-schema.ts';
import { compilePrincipals, principalKey } from '../principal-globs.ts';
import type { CatalogTool } from '../upstream/catalog.ts';
import { createToolRules, stricterOf, type ToolRules } from './tool-rules.ts';

/** Principals whose rules are remembered; each takes a short search otherwise. */
const MAX_KNOWN = 1_000;

interface Layer {
  readonly mode: PrincipalPolicies['mode'];
  readonly rules: ToolRules;
}

/** Finds the rules of principals. */
export interface PrincipalRules {
  /** The same object for principals with the same rules. */
  of(principal: string): ToolRules;
  /** Every set of rules that one of them can be made of. */
  readonly all: readonly ToolRules[];
}

/**
 * The rules of a principal: the operator's general ones, tightened or replaced by those of the most specific entry of `principals` that has
 * some. Of several that are equally specific all count.
 */
export function createPrincipalRules(policies: Policies, principals: Principals): PrincipalRules {
  const general = createToolRules(policies);
  const layers = Object.entries(principals).flatMap(([glob, { policies: own }]) =>
    own === undefined ? [] : [[glob, layerOf(glob, own)] as const],
  );
  if (layers.length === 0) return { of: () => general, all: [general] };
  const matching = compilePrincipals(Object.fromEntries(layers));
  const combined = new Map<string, ToolRules>();
  const known = new Map<string, ToolRules>();
  const rulesOf = (principal: string): ToolRules => {
    const [best = []] = matching(principal);
    const name = JSON.stringify(best.map(({ glob }) => glob));
    const rules =
      combined.get(name) ??
      combine(
        general,
        best.map(({ value }) => value),
      );
    combined.set(name, rules);
    return rules;
  };
  const remembered = (principal: string): ToolRules => {
    const rules = known.get(principal) ?? rulesOf(principal);
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(principal, rules);
    return rules;
  };
  return { of: remembered, all: [general, ...layers.map(([, layer]) => layer.rules)] };
}

function layerOf(glob: string, { mode, default: own, servers }: PrincipalPolicies): Layer {
  const fallback = own ?? (mode === 'replace' ? 'annotations' : 'allow');
  return { mode, rules: createToolRules({ default: fallback, servers }, principalKey(glob, 'policies')) };
}

/** Among layers of which one tightens, the general rules count too. */
function combine(general: ToolRules, layers: readonly Layer[]): ToolRules {
  const isReplaced = layers.length > 0 && layers.every(({ mode }) => mode === 'replace');
  const all = [...(isReplaced ? [] : [general]), ...layers.map(({ rules }) => rules)];
  const [first = general, ...others] = all;
  if (others.length === 0) return first;
  const verdicts = new Map<string, WeakMap<CatalogTool, ReturnType<ToolRules>>>();
  return (server, tool) => {
    let ofServer = verdicts.get(server);
    if (ofServer === undefined) verdicts.set(server, (ofServer = new WeakMap()));
    let verdict = ofServer.get(tool);
    if (verdict === undefined) {
      verdict = others.reduce((strictest, rules) => stricterOf(strictest, rules(server, tool)), first(server, tool));
      ofServer.set(tool, verdict);
    }
    return verdict;
  };
}
