import type { Authenticator } from '../access/authenticator.ts';
import type { AuditSink } from '../audit/audit-event.ts';
import type { Config } from '../config/schema.ts';
import type { Log } from '../log.ts';
import { isLoopbackHost } from '../loopback.ts';
import { openAccess } from '../open-access.ts';
import { demandLoopback } from '../server/loopback-only.ts';
import { cacheDirectory, type ProcessContext } from './command.ts';

/** Who may come in over HTTP. */
export interface HttpAccess extends Disposable {
  readonly auth: Authenticator | undefined;
  /** What the address stands in, as the operator knows it. */
  readonly hostField: string;
  /** From now on those who are not let in are recorded there. */
  recordIn(audit: AuditSink): void;
}

/**
 * Decides who may come in, before anything slow is started.
 * @param hostField what the address stands in
 * @throws SandboxError ERR_ACCESS_REQUIRED, ERR_ACCESS_UNAVAILABLE
 */
export async function openHttpAccess(context: ProcessContext, config: Config, hostField: string, log: Log): Promise<HttpAccess> {
  let audit: AuditSink | undefined;
  const auth = await openAccess({
    config,
    cacheDirectory: cacheDirectory(context, config),
    log,
    onFailure: ({ address, code }) => audit?.record({ kind: 'auth', code, from: address }),
  });
  const { host } = config.http;
  if (auth === undefined) await demandLoopback(host, hostField);
  else if (!isLoopbackHost(host)) warnOfClearText(config, log);
  return { auth, hostField, recordIn: (sink) => void (audit = sink), [Symbol.dispose]: () => auth?.close() };
}

/** We speak plain HTTP. Where the operator says that the endpoint is public under https, somebody else does the rest. */
function warnOfClearText({ http, auth }: Config, log: Log): void {
  if (auth.oauth?.resource?.startsWith('https:') === true) return;
  log.warn(`Keys and tokens come to ${http.host} in the clear: let only a proxy that speaks TLS reach it`);
}
