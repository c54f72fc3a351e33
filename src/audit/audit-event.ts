/**
 * What a line is about: a run (`begin` before it, only where no run may start unrecorded), a tool call of a run, an authentication that
 * failed, a saved skill, a key of ours, a login at an upstream server, the operator's word about a call or an execution, or lines that were lost.
 */
export const AUDIT_KINDS = ['begin', 'run', 'call', 'auth', 'skill', 'key', 'login', 'approval', 'execution', 'gap'] as const;
export type AuditKind = (typeof AUDIT_KINDS)[number];

/** One thing that happened. Nothing in it is a value of a program, a tool or a person, except in `values`. */
export interface AuditEvent {
  readonly kind: AuditKind;
  /** Who: the id of a principal. Absent where nobody is known, such as a failed authentication. */
  readonly principal?: string | undefined;
  readonly execution?: string | undefined;
  /** Of the session, as `ampoule sessions list` has it: no handle. */
  readonly session?: string | undefined;
  readonly server?: string | undefined;
  readonly tool?: string | undefined;
  /** What it was done to, where that is no tool: the name of a skill or of a key. */
  readonly subject?: string | undefined;
  /** What was done to the subject, such as "save" or "revoke". */
  readonly action?: string | undefined;
  /** Keyed hashes, see `audit-hashes.ts`. */
  readonly program?: string | undefined;
  readonly arguments?: string | undefined;
  /** Why it did not go well; absent when it did. */
  readonly code?: string | undefined;
  /** How long it took, in milliseconds. */
  readonly ms?: number | undefined;
  readonly fuel?: number | undefined;
  /** Tool calls of a run. */
  readonly calls?: number | undefined;
  /** How a person was asked about a call: "granted", or why not; and who answered. */
  readonly approval?: string | undefined;
  readonly approvedBy?: string | undefined;
  readonly dryRun?: true | undefined;
  /** Where it came from, such as an address. */
  readonly from?: string | undefined;
  /** How many alike the line stands for, where they came in masses. */
  readonly times?: number | undefined;
  /** What was said, where the operator wants it: each shortened, without known secrets. */
  readonly values?: Readonly<Record<string, string>> | undefined;
}

/** Takes what happened. Never throws, and never takes long: it is written later, see `Audit`. */
export interface AuditSink {
  record(event: AuditEvent): void;
}

/** An event with the time at which it was recorded. */
export interface AuditLine extends AuditEvent {
  /** Milliseconds since 1970. */
  readonly time: number;
}
