import { z } from 'zod';

/** Where one import of a core module comes from: an export of an instance made before, by its place in the plan. */
const fromInstance = z.strictObject({ instance: z.int().min(0), export: z.string() });

const importSchema = z.strictObject({
  module: z.string(),
  name: z.string(),
  /** Absent: no instance has it. The host has, or nobody and a call of it is a trap. */
  from: fromInstance.exactOptional(),
});

/** How to make an instance of an engine: its core modules in order, and how they are connected. */
export const linkPlanSchema = z.strictObject({
  instances: z.array(z.strictObject({ module: z.string(), imports: z.array(importSchema) })).min(1),
  /** The place of the instance that has the guest contract. */
  contract: z.int().min(0),
});

export type LinkPlan = z.output<typeof linkPlanSchema>;
export type PlannedInstance = LinkPlan['instances'][number];
export type PlannedImport = PlannedInstance['imports'][number];

/** The modules that a plan makes instances of, out of all. */
export function modulesOf(plan: LinkPlan, modules: ReadonlyMap<string, Uint8Array>): Map<string, Uint8Array> {
  const names = new Set(plan.instances.map(({ module }) => module));
  return new Map([...modules].filter(([name]) => names.has(name)));
}

/** The core export by which the instance with the guest contract is known. */
export const CONTRACT_EXPORT = 'cabi_post_load';
