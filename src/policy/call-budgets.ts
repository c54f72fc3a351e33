import { compileLimitKey, type LimitKey } from './limit-keys.ts';
import type { CallBudget, Verdict } from './tool-rules.ts';

/** A place in all the budgets that a call counts in, or the budget that has none left. */
export type Place = { readonly ok: true; giveBack(): void } | { readonly ok: false; readonly budget: CallBudget };

/** The calls that one run may still make. */
export interface CallBudgets {
  /** Takes a place in every matching budget at once, or in none: calls that come together never get past one. */
  take(server: string, tool: string, verdict: Verdict): Place;
  /** Nobody knows any more what was spent: from now on every budget is. */
  spendAll(): void;
}

/** @param asked `limits.tools` of the call: further budgets, which therefore only ever lower the operator's */
export function createCallBudgets(asked: Readonly<Record<string, number>> = {}): CallBudgets {
  const further = Object.entries(asked).map(([text, maxCalls]) => ({ key: compileLimitKey(text), budget: limitOf(text, maxCalls) }));
  const counts = new Map<CallBudget, number>();
  let isSpent = false;
  return {
    spendAll: () => {
      isSpent = true;
    },
    take: (server, tool, verdict) => {
      const budgets = further.length === 0 ? verdict.budgets : [...verdict.budgets, ...matching(further, server, tool)];
      const spent = budgets.find((budget) => isSpent || (counts.get(budget) ?? 0) >= budget.maxCalls);
      if (spent !== undefined) return { ok: false, budget: spent };
      for (const budget of budgets) counts.set(budget, (counts.get(budget) ?? 0) + 1);
      return { ok: true, giveBack: once(() => budgets.forEach((budget) => counts.set(budget, (counts.get(budget) ?? 1) - 1))) };
    },
  };
}

function limitOf(key: string, maxCalls: number): CallBudget {
  return { rule: `limits.tools[${JSON.stringify(key)}]`, maxCalls };
}

function matching(further: readonly { key: LimitKey; budget: CallBudget }[], server: string, tool: string): CallBudget[] {
  return further.filter(({ key }) => key.matches(server, tool)).map(({ budget }) => budget);
}

function once(work: () => void): () => void {
  let done = false;
  return () => {
    if (!done) work();
    done = true;
  };
}
