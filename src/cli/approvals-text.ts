import type { ApprovalIds } from '../execution/approvals-beside-damage.ts';
import type { StoredApproval, StoredExecution } from '../execution/execution-store.ts';
import { clipText, harmlessLine, harmlessText } from '../result/harmless-text.ts';
import { numbered } from './execution-text.ts';
import { shortIds } from './short-ids.ts';
import { drawTable } from './table.ts';

const ARGUMENT_CHARS = 80;
/** Of what `show` prints for people; with --json there is all of it. */
const MAX_CHARS = 64 * 1024;

const KINDS: Readonly<Record<StoredApproval['kind'], string>> = {
  approve: 'may it be made',
  repeat: 'it may have been made already: may it be made again',
};

/** What `--json` tells of a question. Times are ISO 8601. */
export interface ShownApproval {
  readonly id: string;
  readonly kind: StoredApproval['kind'];
  readonly principal: string;
  readonly executionId: string;
  readonly call: number;
  readonly server: string;
  readonly tool: string;
  readonly arguments: unknown;
  readonly text: string;
  readonly asked: string;
  readonly decision?: { readonly granted: boolean; readonly by: string; readonly at: string };
}

export function shownApproval(approval: StoredApproval): ShownApproval {
  const { id, kind, principal, executionId, call, server, tool, text, askedAt, decision } = approval;
  const decided = decision && { ...decision, at: isoTime(decision.at) };
  const asked = { asked: isoTime(askedAt), ...(decided && { decision: decided }) };
  return { id, kind, principal, executionId, call, server, tool, arguments: parsed(approval.arguments), text, ...asked };
}

/** `ampoule approvals list` as a person reads it. */
export function listing(approvals: readonly StoredApproval[]): string {
  if (approvals.length === 0) return 'No approvals are open.\n';
  const short = shortIds(approvals.map(({ id }) => id));
  const shortRun = shortIds(approvals.map(({ executionId }) => executionId));
  const rows = approvals.map(({ id, executionId, principal, server, tool, kind, askedAt, arguments: args }) => [
    short(id),
    harmlessLine(shortRun(executionId)),
    harmlessLine(clipText(principal, ARGUMENT_CHARS)),
    harmlessLine(clipText(`${server}.${tool}`, ARGUMENT_CHARS)),
    kind === 'repeat' ? 'again' : 'once',
    toSeconds(isoTime(askedAt)),
    harmlessLine(clipText(args, ARGUMENT_CHARS)),
  ]);
  const count = `${approvals.length} ${approvals.length === 1 ? 'approval is' : 'approvals are'} open.`;
  return `${drawTable([['ID', 'EXECUTION', 'PRINCIPAL', 'CALL', 'MAKE', 'ASKED', 'ARGUMENTS'], ...rows])}\n${count}\n`;
}

/** What is said of a question that cannot be read, and what can be done. */
export function damageText({ id, executionId }: ApprovalIds): string {
  const [question, run] = [harmlessLine(id), harmlessLine(executionId)];
  return `${question} is damaged and cannot be answered. Its run waits until its time is over, unless you end it: ampoule executions cancel ${run}\n`;
}

/** The latest time at which the run still waits, in milliseconds since 1970; undefined where it has not begun. */
export function untilOf({ askedAt }: StoredApproval, { start, wait }: StoredExecution): number | undefined {
  if (start === undefined) return undefined;
  const { waitMs } = start.limits;
  return wait === undefined ? askedAt + waitMs : wait.at + Math.max(0, waitMs - wait.usage.waitingMs);
}

/** The program of an execution; "" when it is not there. */
export function programOf({ request }: StoredExecution): string {
  try {
    const { code } = JSON.parse(request) as { code?: unknown };
    return typeof code === 'string' ? code : '';
  } catch {
    return '';
  }
}

/** `ampoule approvals show` as a person reads it. All of it is a program's or a tool's: nothing in it moves the cursor or hides a part of it. */
export function details(approval: StoredApproval, execution: StoredExecution): string {
  const { id, kind, call, executionId, principal, server, tool, askedAt, text, decision } = approval;
  const until = untilOf(approval, execution);
  const facts = [
    ['approval', id],
    ['call', `${harmlessLine(`${server}.${tool}`)}, number ${call} of ${harmlessLine(executionId)}`],
    ['question', KINDS[kind]],
    ['principal', harmlessLine(principal)],
    ['asked', toSeconds(isoTime(askedAt))],
    ...(until === undefined || execution.endedAt !== undefined ? [] : [['until', `${toSeconds(isoTime(until))} at the latest`]]),
    ['run', execution.status],
    ...(decision ? [['decided', decisionText(approval)]] : []),
  ];
  const args = JSON.stringify(parsed(approval.arguments), undefined, 2);
  const open = decision === undefined && execution.endedAt === undefined;
  return [
    drawTable(facts),
    '',
    block('Question, as a client shows it to its user', text),
    block('Arguments', args),
    block('Program', numbered(programOf(execution))),
    ...(open ? [`ampoule approvals approve ${id}`, `ampoule approvals refuse ${id}`, ''] : []),
  ].join('\n');
}

/** Who decided what, and when. */
export function decisionText({ decision }: StoredApproval): string {
  if (decision === undefined) return 'not decided';
  const what = decision.granted ? 'approved' : 'refused';
  return `${what} by the ${harmlessLine(decision.by)} at ${toSeconds(isoTime(decision.at))}`;
}

/** Each line is moved in: none of a stranger looks like one of ours. */
function block(title: string, text: string): string {
  const shown = harmlessText(clipText(text, MAX_CHARS));
  return `${title}:\n${shown.replaceAll(/^/gm, '  ')}\n`;
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return json;
  }
}

export function isoTime(time: number): string {
  return new Date(time).toISOString();
}

/** `2026-01-31T12:00:00Z`. */
function toSeconds(time: string): string {
  return time.replace(/\.\d+Z$/, 'Z');
}
