import type { DatabaseSync } from 'node:sqlite';
import { SandboxError } from '../errors.ts';
import { compileGlob } from '../glob.ts';
import { openReadable } from '../store/readable-database.ts';
import type { AuditKind, AuditLine } from './audit-event.ts';
import { MIGRATIONS } from './audit-schema.ts';

/** Which lines are wanted; what is absent narrows nothing. */
export interface AuditChoice {
  /** The name itself, or a glob, as with server and tool. */
  readonly principal?: string | undefined;
  readonly server?: string | undefined;
  readonly tool?: string | undefined;
  readonly kind?: string | undefined;
  readonly execution?: string | undefined;
  /** "ok" for lines without one. */
  readonly code?: string | undefined;
  readonly failed?: boolean | undefined;
  /** Milliseconds since 1970. */
  readonly since?: number | undefined;
}

/** A line with its number: the number rises with each line. */
export interface NumberedLine {
  readonly id: number;
  readonly line: AuditLine;
}

/** The lines of a file, for its operator, beside a server that writes to it. */
export interface AuditRegister {
  /** The last lines, the oldest of them first. */
  last(choice: AuditChoice, limit: number): NumberedLine[];
  /** Lines after a number, in the order in which they came, and the number up to which all were looked at. */
  after(choice: AuditChoice, id: number): { readonly lines: readonly NumberedLine[]; readonly upTo: number };
  /** The number of the last line that there is. */
  newest(): number;
  close(): void;
}

const CHOSEN = `(:kind IS NULL OR kind = :kind) AND (:execution IS NULL OR execution = :execution) AND (:since IS NULL OR time >= :since)
  AND (:code IS NULL OR coalesce(code, 'ok') = :code) AND (:failed IS NULL OR code IS NOT NULL)`;
const COLUMNS = 'id, time, kind, principal, execution, server, tool, code, more';
/** Lines that are read at once. */
const AT_ONCE = 5_000;

/** @throws SandboxError ERR_AUDIT_STORE when the file is damaged, not one of ours or of a newer version */
export function openAuditRegister(file: string): AuditRegister {
  const db = guarded(() => openReadable({ file, migrations: MIGRATIONS }));
  return {
    last: (choice, limit) => guarded(() => lastLines(db, choice, limit)),
    after: (choice, id) => guarded(() => linesAfter(db, choice, id)),
    newest: () => guarded(() => newestOf(db)),
    close: () => db.close(),
  };
}

function lastLines(db: DatabaseSync, choice: AuditChoice, limit: number): NumberedLine[] {
  const matches = compileChoice(choice);
  const found: NumberedLine[] = [];
  const rows = db.prepare(`SELECT ${COLUMNS} FROM lines WHERE ${CHOSEN} ORDER BY id DESC`).iterate(parametersOf(choice));
  for (const row of rows) {
    const line = toLine(row);
    if (matches(line.line)) found.push(line);
    if (found.length >= limit) break;
  }
  return found.reverse();
}

function newestOf(db: DatabaseSync): number {
  return Number(db.prepare('SELECT coalesce(max(id), 0) AS id FROM lines').get()?.['id']);
}

function linesAfter(db: DatabaseSync, choice: AuditChoice, id: number): ReturnType<AuditRegister['after']> {
  const newest = newestOf(db);
  if (newest <= id) return { lines: [], upTo: id };
  const matches = compileChoice(choice);
  const sql = `SELECT ${COLUMNS} FROM lines WHERE id > :id AND ${CHOSEN} ORDER BY id LIMIT ${AT_ONCE}`;
  const rows = db
    .prepare(sql)
    .all({ ...parametersOf(choice), id })
    .map(toLine);
  const last = rows.at(-1)?.id ?? id;
  // Lines may have come between the two looks.
  return { lines: rows.filter(({ line }) => matches(line)), upTo: rows.length < AT_ONCE ? Math.max(newest, last) : last };
}

function parametersOf({ kind, execution, code, failed, since }: AuditChoice): Record<string, string | number | null> {
  return { kind: kind ?? null, execution: execution ?? null, code: code ?? null, failed: failed === true ? 1 : null, since: since ?? null };
}

/** What SQL does not choose by. */
function compileChoice(choice: AuditChoice): (line: AuditLine) => boolean {
  const tests = (['principal', 'server', 'tool'] as const).flatMap((name) => {
    const wanted = choice[name];
    if (wanted === undefined) return [];
    const matches = compileGlob(wanted);
    return [(line: AuditLine): boolean => line[name] !== undefined && (line[name] === wanted || matches(line[name]))];
  });
  return (line) => tests.every((test) => test(line));
}

function toLine(row: Record<string, unknown>): NumberedLine {
  const text = (name: string): string | undefined => (typeof row[name] === 'string' && row[name] !== '' ? row[name] : undefined);
  const named = {
    principal: text('principal'),
    execution: text('execution'),
    server: text('server'),
    tool: text('tool'),
    code: text('code'),
  };
  const known = Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined));
  return {
    id: Number(row['id']),
    // Written by this version or an older one.
    line: { time: Number(row['time']), kind: String(row['kind']) as AuditKind, ...known, ...moreOf(row['more']) },
  };
}

/** What is not readable keeps nobody from seeing the rest. */
function moreOf(json: unknown): object {
  try {
    return JSON.parse(String(json)) as object;
  } catch {
    return {};
  }
}

function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof SandboxError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SandboxError('ERR_AUDIT_STORE', `The database of the audit cannot be read: ${reason}.`, {
      hint: 'A damaged file can be moved away: the next start begins a new one.',
      cause,
    });
  }
}
