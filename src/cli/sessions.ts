import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SandboxError } from '../errors.ts';
import { harmlessLine, harmlessText } from '../result/harmless-text.ts';
import { openSessionRegister, type SessionChoice, type SessionEntry, type SessionRegister } from '../session/session-register.ts';
import { cacheDirectory, readConfig, type CommonOptions, type ProcessContext } from './command.ts';
import { drawTable } from './table.ts';

export interface ListOptions extends CommonOptions {
  readonly principal?: string;
  readonly json?: boolean;
}

export interface ShowOptions extends CommonOptions {
  /** The values of the state too, not only their sizes. */
  readonly values?: boolean;
  readonly json?: boolean;
}

export interface EndOptions extends CommonOptions {
  readonly all?: boolean;
  readonly principal?: string;
}

/** `ampoule sessions list`: every session that has not ended, the one used last first. */
export async function listSessions(context: ProcessContext, options: ListOptions): Promise<void> {
  await withRegister(context, options, (register) => {
    const choice = options.principal === undefined ? 'all' : { principal: options.principal };
    const sessions = Array.from(register?.list(choice) ?? [], summary);
    context.stdout.write(options.json === true ? `${JSON.stringify(sessions)}\n` : table(sessions));
  });
}

/** `ampoule sessions show ID`: the keys of a session's state and how large they are. @throws SandboxError ERR_SESSION_UNKNOWN */
export async function showSession(context: ProcessContext, id: string, options: ShowOptions): Promise<void> {
  await withRegister(context, options, (register) => {
    const [entry] = register?.list({ id }) ?? [];
    if (!entry) throw unknown(id);
    const withValues = options.values === true;
    const shown = { ...summary(entry), state: stateEntries(entry.state).map((member) => describeMember(member, withValues)) };
    context.stdout.write(options.json === true ? `${JSON.stringify(shown)}\n` : details(shown));
  });
}

/**
 * `ampoule sessions end ID|--all|--principal P`: a server that runs refuses their handles from then on.
 * @throws SandboxError ERR_SESSION_UNKNOWN, ERR_CLI_USAGE
 */
export async function endSessions(context: ProcessContext, id: string | undefined, options: EndOptions): Promise<void> {
  const choice = chosen(id, options);
  await withRegister(context, options, (register) => {
    const ended = register?.end(choice) ?? 0;
    if (ended === 0 && id !== undefined) throw unknown(id);
    context.stdout.write(`${ended} ${ended === 1 ? 'session' : 'sessions'} ended.\n`);
  });
}

function chosen(id: string | undefined, { all, principal }: EndOptions): SessionChoice {
  const choices: SessionChoice[] = [];
  if (id !== undefined) choices.push({ id });
  if (all === true) choices.push('all');
  if (principal !== undefined) choices.push({ principal });
  const [choice] = choices;
  if (choice !== undefined && choices.length === 1) return choice;
  throw new SandboxError('ERR_CLI_USAGE', 'Say which sessions to end: one id, --all, or --principal <name>, and only one of these.', {
    hint: '"ampoule sessions list" shows the ids.',
  });
}

/** Without a file there are no sessions, and looking does not make one. */
async function withRegister(
  context: ProcessContext,
  options: CommonOptions,
  work: (register: SessionRegister | undefined) => void,
): Promise<void> {
  const config = await readConfig(context, options);
  const file = join(cacheDirectory(context, config), 'sessions.db');
  if (!existsSync(file)) return work(undefined);
  const register = openSessionRegister({ file, sessionTtlMs: config.limits.sessionTtlMs });
  try {
    work(register);
  } finally {
    register.close();
  }
}

interface Summary {
  readonly id: string;
  readonly principal: string;
  /** ISO 8601, as the other times. */
  readonly created: string;
  readonly lastUsed: string;
  readonly expires: string;
  readonly bytes: number;
  readonly keys: number;
}

function summary({ id, principal, created, used, expires, state }: SessionEntry): Summary {
  const times = { created: isoTime(created), lastUsed: isoTime(used), expires: isoTime(expires) };
  return { id, principal, ...times, bytes: Buffer.byteLength(state), keys: stateEntries(state).length };
}

function isoTime(time: number): string {
  return new Date(time).toISOString();
}

type Member = readonly [key: string, value: unknown];

function stateEntries(state: string): Member[] {
  try {
    return Object.entries(JSON.parse(state) as object);
  } catch {
    // Nothing that is stored keeps the operator from seeing the rest.
    return [];
  }
}

interface ShownMember {
  readonly key: string;
  readonly bytes: number;
  readonly value?: unknown;
}

function describeMember([key, value]: Member, withValues: boolean): ShownMember {
  return { key, bytes: Buffer.byteLength(JSON.stringify(value)), ...(withValues && { value }) };
}

const HEAD = ['ID', 'PRINCIPAL', 'CREATED', 'LAST USED', 'EXPIRES', 'BYTES', 'KEYS'];

function table(sessions: readonly Summary[]): string {
  if (sessions.length === 0) return 'No sessions.\n';
  const rows = sessions.map(({ id, principal, created, lastUsed, expires, bytes, keys }) => [
    id,
    harmlessLine(principal),
    ...[created, lastUsed, expires].map(toSeconds),
    String(bytes),
    String(keys),
  ]);
  const count = `${sessions.length} ${sessions.length === 1 ? 'session' : 'sessions'}.`;
  return `${drawTable([HEAD, ...rows])}\n${count}\n`;
}

function details({ id, principal, created, lastUsed, expires, bytes, keys, state }: Summary & { state: readonly ShownMember[] }): string {
  const facts = [
    ['id', id],
    ['principal', harmlessLine(principal)],
    ['created', toSeconds(created)],
    ['last used', toSeconds(lastUsed)],
    ['expires', toSeconds(expires)],
    ['state', `${bytes} bytes, ${keys} ${keys === 1 ? 'key' : 'keys'}`],
  ];
  // Keys and values are a program's: nothing in them moves the cursor of this terminal.
  const members = state.map(({ key, bytes: size, value }) => [
    `  ${harmlessText(JSON.stringify(key))}`,
    `${size} bytes`,
    value === undefined ? '' : harmlessText(JSON.stringify(value)),
  ]);
  return `${drawTable(facts)}\n${members.length > 0 ? `${drawTable(members)}\n` : ''}`;
}

/** `2026-01-31T12:00:00Z`. */
function toSeconds(time: string): string {
  return time.replace(/\.\d+Z$/, 'Z');
}

function unknown(id: string): SandboxError {
  return new SandboxError(
    'ERR_SESSION_UNKNOWN',
    `There is no session with the id ${harmlessText(JSON.stringify(id.slice(0, 64)))}, or it has ended.`,
    {
      hint: '"ampoule sessions list" shows the ids. A handle is not an id.',
    },
  );
}
