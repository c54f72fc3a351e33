import { randomBytes } from 'node:crypto';
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import type { AuditConfig } from '../config/audit-schema.ts';
import { SandboxError } from '../errors.ts';
import { Audit } from './audit.ts';
import type { AuditLine } from './audit-event.ts';
import { openAuditFile } from './audit-file.ts';
import { auditHashOf, openAuditHash, type AuditHash } from './audit-hashes.ts';
import type { Outlet } from './audit-outlet.ts';
import { openAuditStore, type AuditStore } from './audit-store.ts';

const DAY_MS = 86_400_000;
/** Most characters of one value of a line. */
const VALUE_CHARS = 4_096;
/** Longer texts are not looked through: only their length is told. */
const MAX_VALUE_CHARS = 64 * 1024;
/** SQLite's own words for a file that is damaged, or is no database. */
const DAMAGED = new Set([11, 26]);

export interface OpenAuditOptions {
  readonly config: AuditConfig;
  /** Where the database and the key of the hashes are. It exists. */
  readonly directory: string;
  /** Takes what the operator's config keeps secret out of a text. */
  readonly redact: (text: string) => string;
  readonly log: { warn(fields: object, message: string): void };
  readonly now?: () => number;
}

/** Name of the database in its folder. */
export const AUDIT_DATABASE = 'audit.db';

/**
 * Opens the audit. Where it cannot be written that is told in the log, and tried again.
 * @throws SandboxError ERR_AUDIT_STORE when it cannot be written and no run may start unrecorded
 */
export function openAudit(options: OpenAuditOptions): Audit {
  const { config, directory, redact, log, now = Date.now } = options;
  const refuse = config.onFailure === 'refuse';
  const isOn = config.store || config.file !== undefined;
  const store = config.store ? storeOutlet(options) : undefined;
  const outlets = [...(store ? [store] : []), ...(config.file === undefined ? [] : [fileOutlet(config.file)])];
  for (const outlet of outlets) {
    const { error } = outlet.write([]);
    if (error === undefined) continue;
    if (refuse) throw cannotOpen(outlet.name, error);
    log.warn({ err: error }, `The audit cannot be written to the ${outlet.name}; it is tried again`);
  }
  return new Audit({
    outlets,
    hash: isOn ? openHash(join(directory, 'audit.key'), refuse, log) : () => '',
    refuse,
    values: config.values ? (text) => shownValue(text, redact) : undefined,
    prune: store && (() => store.prune(now())),
    log,
    now,
  });
}

function openHash(file: string, refuse: boolean, log: OpenAuditOptions['log']): AuditHash {
  try {
    return openAuditHash(file);
  } catch (err) {
    if (refuse) throw cannotOpen('key file', err);
    log.warn({ err }, 'The key of the hashes in the audit cannot be kept: after a restart the same text has another hash');
    const key = randomBytes(32);
    return auditHashOf(key);
  }
}

/** Shortened last: what is cut in half is not found any more. */
function shownValue(text: string, redact: (text: string) => string): string {
  if (text.length > MAX_VALUE_CHARS) return `(${text.length} characters)`;
  const shown = redact(text);
  return shown.length > VALUE_CHARS ? `${shown.slice(0, VALUE_CHARS)}… (${shown.length - VALUE_CHARS} more characters)` : shown;
}

function storeOutlet({ config, directory, log, now = Date.now }: OpenAuditOptions): Outlet & { prune(now: number): boolean } {
  const file = join(directory, AUDIT_DATABASE);
  const durable = config.onFailure === 'refuse';
  const options = { file, retentionMs: config.retentionDays * DAY_MS, maxBytes: config.maxBytes, durable };
  let store: AuditStore | undefined;
  const close = (): void => {
    store?.close();
    store = undefined;
  };
  const attempt = (lines: readonly AuditLine[]): void => {
    store ??= openAuditStore(options);
    if (lines.length > 0) store.write(lines);
  };
  return {
    name: 'store',
    write: (lines) => {
      try {
        attempt(lines);
        return { written: lines.length };
      } catch (error) {
        if (durable || !isDamage(error)) return { written: 0, error };
        close();
        putAside(file, now(), error, log);
        return { written: 0, error };
      }
    },
    // A commit is on the disk when it comes back.
    sync: () => undefined,
    prune: (time) => store?.prune(time) ?? false,
    close,
  };
}

/** A damaged file is evidence: it is put aside and not deleted. The next attempt begins a new one. */
function putAside(file: string, now: number, err: unknown, log: OpenAuditOptions['log']): void {
  const aside = `${file}.damaged-${now}`;
  for (const end of ['', '-wal', '-shm']) moveAway(`${file}${end}`, `${aside}${end}`);
  log.warn({ err, file: aside }, 'The database of the audit is damaged: it was put aside, and a new one begins');
}

function moveAway(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch {
    // What SQLite keeps beside a database is not always there.
  }
}

function isDamage(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' && DAMAGED.has(error.errcode % 256);
}

function fileOutlet(path: string): Outlet {
  return { name: 'file', ...openAuditFile(path) };
}

/** @throws nothing: makes the error */
export function cannotOpen(what: string, cause: unknown): SandboxError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new SandboxError('ERR_AUDIT_STORE', `The ${what} of the audit cannot be used: ${reason}.`, {
    hint: 'Make the folder writable and make room on the disk, or move a damaged file away.',
    cause,
  });
}
