import type { Grant } from '../access/principal.ts';
import type { ToolAnswer } from '../execute/run.ts';
import type { CallJournal } from '../execution/durable-run.ts';
import type { Limits } from '../limits.ts';
import type { Approver } from '../policy/approval.ts';
import type { RunPolicies } from '../policy/run-policies.ts';
import type { ValidateArguments } from '../upstream/arguments.ts';
import type { CatalogTool } from '../upstream/catalog.ts';
import type { Upstreams } from '../upstream/upstreams.ts';
import type { LargeCalls } from './large-calls.ts';

/** What the calls of all runs go through. */
export interface ToolCallStages {
  readonly upstreams: Upstreams;
  readonly validateArguments: ValidateArguments;
  readonly limits: Limits;
  /** Makes calls with large arguments wait for their turn; absent: none waits. */
  readonly largeCalls?: LargeCalls | undefined;
  /** Knows what tools without a declared output schema have answered so far. */
  readonly learner?: { learnedSchema(server: string, tool: string): object | undefined } | undefined;
  /** Looks at what a tool really answered, and may change it into an error. */
  readonly observe?: ((server: string, tool: CatalogTool, answer: ToolAnswer) => ToolAnswer) | undefined;
}

/** The run that the calls are of. */
export interface CallingRun {
  readonly policies: RunPolicies;
  readonly principal: string;
  /** The only tools that the principal may call; all when absent. */
  readonly grant?: Grant | undefined;
  /** The only servers that it may call; all when absent. */
  readonly servers?: readonly string[] | undefined;
  /** Asks a person; absent when nobody can be asked. */
  readonly approver?: Approver | undefined;
  readonly program: { readonly code: string; readonly hash: string };
  /** Counts calls that are about to be made; the answer to one too many. Absent: as many as it likes. */
  readonly quota?: { takeCall(): Extract<ToolAnswer, { ok: false }> | undefined } | undefined;
  /** Writes down what is about to leave, before it does. Absent: nothing is written. */
  readonly journal?: CallJournal | undefined;
}
