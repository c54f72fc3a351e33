import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AUDIT_KINDS, type AuditLine } from '../audit/audit-event.ts';
import { openAuditRegister, type AuditChoice, type AuditRegister, type NumberedLine } from '../audit/audit-register.ts';
import { lineText } from '../audit/audit-text.ts';
import { AUDIT_DATABASE } from '../audit/open-audit.ts';
import { harmlessLine } from '../result/harmless-text.ts';
import { cacheDirectory, readConfig, type CommonOptions, type ProcessContext } from './command.ts';
import { limitOption, shownOption, timeOption, usageError } from './list-options.ts';
import { drawTable } from './table.ts';

export interface AuditOptions extends CommonOptions {
  readonly principal?: string;
  readonly since?: string;
  readonly server?: string;
  readonly tool?: string;
  readonly code?: string;
  readonly kind?: string;
  readonly execution?: string;
  readonly failed?: boolean;
  readonly limit?: string;
  readonly json?: boolean;
  readonly follow?: boolean;
}

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000_000;
/** How often a file is looked at for new lines. */
const FOLLOW_MS = 200;

/** `ampoule audit`: who did what. @throws SandboxError ERR_CLI_USAGE, ERR_AUDIT_STORE */
export async function showAudit(context: ProcessContext, options: AuditOptions): Promise<void> {
  const choice = choiceOf(options, Date.now());
  const limit = options.limit === undefined ? DEFAULT_LIMIT : limitOption(options.limit, MAX_LIMIT, 'audit');
  const show = options.json === true ? showJson : options.follow === true ? showRows : showTable;
  const config = await readConfig(context, options);
  const file = join(cacheDirectory(context, config), AUDIT_DATABASE);
  // Whoever reads has seen enough, such as `head`.
  context.stdout.on('error', () => undefined);
  const write = (text: string): void => void context.stdout.write(text);
  if (options.follow === true) return follow(context, file, choice, limit, (lines) => write(show(lines)));
  if (!existsSync(file)) return write(show([]));
  using register = opened(file);
  return write(show(register.last(choice, limit)));
}

/** Until the reader goes or the command is told to end. */
async function follow(
  { signal, stdout }: ProcessContext,
  file: string,
  choice: AuditChoice,
  limit: number,
  show: (lines: readonly NumberedLine[]) => void,
): Promise<void> {
  const gone = new AbortController();
  stdout.once('error', () => gone.abort());
  const ended = AbortSignal.any([signal, gone.signal]);
  let isFirst = true;
  while (!ended.aborted) {
    // The server may not have begun yet, and one that puts a damaged file aside begins another.
    while (!existsSync(file)) if (await isOver(ended)) return;
    await followOne(file, choice, isFirst ? limit : undefined, show, ended);
    isFirst = false;
  }
}

/** Until another file is in its place. @param limit how many of the lines that are there already are shown; all when absent */
async function followOne(
  file: string,
  choice: AuditChoice,
  limit: number | undefined,
  show: (lines: readonly NumberedLine[]) => void,
  ended: AbortSignal,
): Promise<void> {
  const own = inodeOf(file);
  using register = opened(file);
  let after = limit === undefined ? 0 : register.newest();
  if (limit !== undefined) show(register.last(choice, limit).filter(({ id }) => id <= after));
  for (let isThere = true; isThere && !(await isOver(ended));) {
    // Looked at first: what was written before the file was put aside is in it.
    isThere = inodeOf(file) === own;
    const { lines, upTo } = register.after(choice, after);
    after = upTo;
    if (lines.length > 0) show(lines);
  }
}

/** Undefined when there is none. */
function inodeOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.ino;
}

async function isOver(signal: AbortSignal): Promise<boolean> {
  await delay(FOLLOW_MS, undefined, { signal }).catch(() => undefined);
  return signal.aborted;
}

function opened(file: string): AuditRegister & Disposable {
  const register = openAuditRegister(file);
  return { ...register, [Symbol.dispose]: () => register.close() };
}

function choiceOf({ since, kind, ...options }: AuditOptions, now: number): AuditChoice {
  const { principal, server, tool, code, execution, failed } = options;
  if (kind !== undefined && !(AUDIT_KINDS as readonly string[]).includes(kind)) {
    throw usageError(`--kind expects one of ${AUDIT_KINDS.join(', ')}, got ${shownOption(kind)}.`, 'audit');
  }
  return {
    principal,
    server,
    tool,
    code,
    execution,
    failed,
    kind,
    since: since === undefined ? undefined : timeOption(since, now, 'audit'),
  };
}

function showJson(lines: readonly NumberedLine[]): string {
  return lines.map(({ line }) => `${lineText(line)}\n`).join('');
}

const HEAD = ['TIME', 'PRINCIPAL', 'KIND', 'WHAT', 'OUTCOME', 'MS', 'FUEL', 'EXECUTION'];

function showTable(lines: readonly NumberedLine[]): string {
  if (lines.length === 0) return 'No lines.\n';
  const count = `${lines.length} ${lines.length === 1 ? 'line' : 'lines'}.`;
  return `${drawTable([HEAD, ...lines.map(({ line }) => rowOf(line))])}\n${count}\n`;
}

/** Row by row, as they come. */
function showRows(lines: readonly NumberedLine[]): string {
  return lines.map(({ line }) => `${rowOf(line).join('  ')}\n`).join('');
}

/** Names are strangers': nothing in them makes another line or moves the cursor of this terminal. */
function rowOf(line: AuditLine): string[] {
  const { time, principal = '-', kind, ms, fuel, execution = '-' } = line;
  const cells = [new Date(time).toISOString(), principal, kind, whatOf(line), outcomeOf(line), numberOf(ms), numberOf(fuel), execution];
  return cells.map(harmlessLine);
}

function whatOf({ kind, server, tool, subject, action, program, calls = 0, dryRun, from }: AuditLine): string {
  const dry = dryRun === true ? ' (dry run)' : '';
  switch (kind) {
    case 'begin':
    case 'run':
      return `program ${program?.slice(0, 12) ?? '-'}${calls > 0 ? `, ${calls} ${calls === 1 ? 'call' : 'calls'}` : ''}${dry}`;
    case 'call':
      return `${server ?? '-'}.${tool ?? '-'}${dry}`;
    case 'auth':
    case 'skill':
    case 'key':
    case 'login':
      return [action, subject ?? server, from && `from ${from}`].filter((part) => part !== undefined && part !== '').join(' ') || '-';
    case 'approval':
      return `${action ?? '-'} ${server ?? '-'}.${tool ?? '-'} ${subject ?? ''}`;
    case 'execution':
      return action ?? '-';
    case 'gap':
      return 'lines that could not be written';
  }
}

function outcomeOf({ code, approval, times = 1 }: AuditLine): string {
  const asked = approval === undefined ? '' : ` (person: ${approval})`;
  return `${code ?? 'ok'}${asked}${times > 1 ? ` x ${times}` : ''}`;
}

function numberOf(value: number | undefined): string {
  return value === undefined ? '-' : String(value);
}
