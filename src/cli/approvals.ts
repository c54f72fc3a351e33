import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { Config } from '../config/schema.ts';
import { SandboxError } from '../errors.ts';
import { approvalIdsFrom, approvalsBesideDamage, type ApprovalsBesideDamage } from '../execution/approvals-beside-damage.ts';
import type { ExecutionStore, StoredApproval, StoredExecution } from '../execution/execution-store.ts';
import { openExecutions } from '../execution/store/sqlite-executions.ts';
import { harmlessLine, harmlessText } from '../result/harmless-text.ts';
import { damageText, decisionText, details, isoTime, listing, programOf, shownApproval, untilOf } from './approvals-text.ts';
import { readConfig, type CommonOptions, type ProcessContext } from './command.ts';
import { executionsPath, noStoreText } from './execution-register-file.ts';
import { recordCommand } from './record-command.ts';

export interface ApprovalOptions extends CommonOptions {
  readonly json?: boolean;
}

export interface ListOptions extends ApprovalOptions {
  readonly principal?: string;
}

const HINT = '"ampoule approvals list" shows what is open.';

/** `ampoule approvals list`: every question that is open, the oldest first. One that is damaged is named on stderr. */
export async function listApprovals(context: ProcessContext, options: ListOptions): Promise<void> {
  await withStore(context, options, async ({ store, open }, config) => {
    if (store === undefined) context.stderr.write(`${noStoreText(context, config)}\n`);
    const { whole, damaged } = await open();
    const shown = options.principal === undefined ? whole : whole.filter(({ principal }) => principal === options.principal);
    context.stdout.write(options.json === true ? `${JSON.stringify(shown.map(shownApproval))}\n` : listing(shown));
    context.stderr.write(damaged.map(damageText).join(''));
  });
}

/** `ampoule approvals show ID`: one question with its program. @throws SandboxError ERR_EXECUTION_APPROVAL */
export async function showApproval(context: ProcessContext, id: string, options: ApprovalOptions): Promise<void> {
  await withStore(context, options, async (opened) => {
    const { approval, execution } = await find(opened, id);
    if (options.json !== true) return void context.stdout.write(details(approval, execution));
    const until = untilOf(approval, execution);
    const more = { ...(until !== undefined && { until: isoTime(until) }), status: execution.status, program: programOf(execution) };
    context.stdout.write(`${JSON.stringify({ ...shownApproval(approval), ...more })}\n`);
  });
}

/**
 * `ampoule approvals approve|refuse ID`: a server that runs hears of it at once, any other when it starts.
 * @throws SandboxError ERR_EXECUTION_APPROVAL when there is none, somebody was faster, or its run has ended
 */
export async function decideApproval(context: ProcessContext, id: string, granted: boolean, options: ApprovalOptions): Promise<void> {
  await withStore(context, options, async (opened, config) => {
    const { store } = opened;
    const { approval, execution } = await find(opened, id);
    // The fraction tells two commands of the same millisecond apart.
    const decision = { granted, by: 'operator', at: Date.now() + randomInt(1_000) / 1_000 };
    const decided = approval.decision === undefined ? await store?.decide(approval.id, decision) : approval;
    const isOurs = decided?.decision?.by === 'operator' && decided.decision.at === decision.at && decided.decision.granted === granted;
    if (decided === undefined || !isOurs) throw notOpen(decided ?? approval, execution);
    const { server, tool, executionId } = decided;
    const action = granted ? 'approve' : 'refuse';
    await recordCommand(context, config, { kind: 'approval', action, subject: decided.id, server, tool, execution: executionId });
    const text = `${decided.id}: ${granted ? 'approved' : 'refused'}, ${harmlessLine(`${server}.${tool}`)}.`;
    context.stdout.write(options.json === true ? `${JSON.stringify(shownApproval(decided))}\n` : `${text}\n`);
  });
}

interface Found {
  readonly approval: StoredApproval;
  readonly execution: StoredExecution;
}

/** By its id, or by the beginning of one: of those that are open, else of all. @throws SandboxError ERR_EXECUTION_APPROVAL */
async function find({ store, open, from, hint }: Opened, id: string): Promise<Found> {
  const named = id.startsWith('apr_') ? id : `apr_${id}`;
  const whole = await store?.approval(named);
  const meant = whole ?? onlyOne(id, await beginning(open, named)) ?? (await closed(store, id === '' ? [] : from(named)));
  const execution = meant && (await store?.read(meant.executionId));
  if (meant === undefined || execution === undefined) throw unknown(id, hint);
  return { approval: meant, execution };
}

async function beginning(open: Opened['open'], text: string): Promise<StoredApproval[]> {
  const { whole } = await open();
  return whole.filter(({ id }) => id.startsWith(text));
}

/** Whoever was slower hears who was faster. */
async function closed(store: ExecutionStore | undefined, [only, ...others]: readonly string[]): Promise<StoredApproval | undefined> {
  return only === undefined || others.length > 0 ? undefined : store?.approval(only);
}

function onlyOne(id: string, found: readonly StoredApproval[]): StoredApproval | undefined {
  if (found.length <= 1) return found[0];
  throw new SandboxError('ERR_EXECUTION_APPROVAL', `${found.length} open approvals begin with ${printable(id)}.`, {
    hint: `Write more of the id: ${found
      .slice(0, 5)
      .map((open) => open.id)
      .join(', ')}${found.length > 5 ? ', …' : ''}`,
  });
}

function notOpen(approval: StoredApproval, { status }: StoredExecution): SandboxError {
  const why =
    approval.decision === undefined ? `Its run has ended (${status}): nobody waits for an answer.` : `It was ${decisionText(approval)}.`;
  return new SandboxError('ERR_EXECUTION_APPROVAL', `${approval.id} is not open any more. ${why}`, { hint: HINT });
}

function unknown(id: string, hint: string): SandboxError {
  return new SandboxError('ERR_EXECUTION_APPROVAL', `There is no approval ${printable(id)}, or its run is not kept any more.`, { hint });
}

function printable(text: string): string {
  return harmlessText(JSON.stringify(text.slice(0, 64)));
}

/** A store, where there is one, and what is open in it. */
interface Opened {
  readonly store: ExecutionStore | undefined;
  readonly open: () => Promise<ApprovalsBesideDamage>;
  /** Two ids at most that begin so. */
  readonly from: (beginning: string) => readonly string[];
  /** What to do about an id that is none. */
  readonly hint: string;
}

/** Without a file there are no executions, and looking does not make one. */
async function withStore(
  context: ProcessContext,
  options: CommonOptions,
  work: (opened: Opened, config: Config) => Promise<void>,
): Promise<void> {
  const config = await readConfig(context, options);
  const file = executionsPath(context, config);
  if (!existsSync(file)) {
    const nothing = { whole: [], damaged: [] };
    return work({ store: undefined, open: () => Promise.resolve(nothing), from: () => [], hint: noStoreText(context, config) }, config);
  }
  const store = openExecutions({ file, limits: config.limits, group: '' });
  const from = (beginning: string): string[] => approvalIdsFrom(file, beginning, 2);
  try {
    await work({ store, open: () => approvalsBesideDamage(store, file), from, hint: HINT }, config);
  } finally {
    await store.close();
  }
}
