import type { Diagnostic } from '../errors.ts';
import type { RunOutcome } from '../execute/run.ts';
import type { Session, SessionStore } from './session-store.ts';

/** What the call of a run says about state. */
export interface SessionRequest {
  /** "new", or a handle. */
  readonly session?: string;
  /** Nothing that a rehearsal does is kept. */
  readonly dryRun?: boolean;
}

/** A session as a run began with it: enough to go on with it in another process. */
export interface SessionOrigin {
  readonly handle: string;
  readonly version: number;
  readonly isNew: boolean;
}

/** The state of one run: that of a session that there is, of one that begins with this run, or of none. */
export interface RunSession {
  /** JSON text that `getState()` begins with. */
  readonly state: string;
  /** What a failed run answers: the handle that it came with. A session does not begin with a run that failed. */
  readonly handle: string | undefined;
  /** What a completed run answers. It exists once `keep` is through. */
  readonly keptHandle: string | undefined;
  /** Undefined for a run without a session. */
  readonly origin: SessionOrigin | undefined;
  /** What the agent should know about the state that a run leaves. */
  warnings(outcome: RunOutcome): readonly Diagnostic[];
  /**
   * Once a completed run can be answered: keeps the state that it leaves, or that it used the session.
   * @param execution as in `SessionStore.commit`
   * @throws SandboxError as `SessionStore.commit`
   */
  keep(outcome: RunOutcome, execution?: string): Promise<void>;
}

/**
 * The session that a call asks for. Writes nothing but the use of one that there is.
 * @throws SandboxError ERR_SESSION_UNKNOWN, ERR_SESSION_STORE
 */
export function openRunSession(sessions: SessionStore, request: SessionRequest, principal: string): RunSession {
  const { session: asked, dryRun = false } = request;
  const session = asked === undefined || asked === 'new' ? undefined : sessions.open(asked, principal);
  if (dryRun) return forgotten(session, DRY_RUN);
  if (session) return kept(sessions, session);
  return asked === undefined ? forgotten(undefined, NO_SESSION) : kept(sessions, sessions.mint(principal));
}

/** The session of a run that goes on after a restart, as it was when the run began. Whether it is still there is told at the end. */
export function restoreRunSession(
  sessions: SessionStore,
  origin: SessionOrigin | undefined,
  { state, principal, dryRun = false }: { readonly state: string; readonly principal: string; readonly dryRun?: boolean | undefined },
): RunSession {
  const session = origin && { ...origin, state, principal };
  if (dryRun || session === undefined) return forgotten(session, dryRun ? DRY_RUN : NO_SESSION);
  if (!session.isNew) sessions.keepAlive(session.handle);
  return kept(sessions, session);
}

const NO_SESSION = 'The program changed the state, and it was not kept because the run has no session: pass session: "new" to keep it.';
const DRY_RUN = 'The program changed the state, and it was not kept because this was a dry run: a dry run changes nothing.';

function kept(sessions: SessionStore, session: Session): RunSession {
  const { handle, state, isNew, version } = session;
  return {
    state,
    origin: { handle, version, isNew },
    handle: isNew ? undefined : handle,
    keptHandle: handle,
    warnings: () => [],
    keep: async (outcome, execution) => {
      const changed = changedState(outcome);
      const committed = sessions.commit(session, changed, execution);
      // A session that went meanwhile takes no result with it when there is nothing to keep.
      await (isNew || changed !== '' ? committed : committed.catch(() => undefined));
    },
  };
}

function forgotten(session: Session | undefined, message: string): RunSession {
  return {
    state: session?.state ?? '{}',
    origin: session && { handle: session.handle, version: session.version, isNew: session.isNew },
    handle: session?.handle,
    keptHandle: session?.handle,
    warnings: (outcome) => (changedState(outcome) === '' ? [] : [{ code: 'WARN_STATE_NOT_KEPT', message }]),
    keep: () => Promise.resolve(),
  };
}

/** JSON text; "" when the run left the state as it was. */
function changedState({ end }: RunOutcome): string {
  return end.status === 'completed' ? end.state : '';
}
