import { ParkedExecutions } from './parked-executions.ts';
import { ParkedRuns } from './parked-runs.ts';
import type { Parking } from './parking.ts';
import type { SandboxPort } from './sandbox-port.ts';

/** Where runs are that wait for their client to come back: in the store, if there is one. @param closing of the server */
export function createParking(port: SandboxPort, closing: AbortSignal): Parking {
  return port.approvals === undefined ? new ParkedRuns() : new ParkedExecutions(port, port.approvals, closing);
}
