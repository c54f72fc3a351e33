import type { Principal } from '../access/principal.ts';
import type { ExecuteOptions, SandboxPort } from './sandbox-port.ts';

/** The sandbox for one principal: whatever goes through it is done in its name, and with its grant. */
export function portOf(port: SandboxPort, { id, grant, credential }: Principal): SandboxPort {
  const named = (options: ExecuteOptions): ExecuteOptions => ({ ...options, principal: id, grant, credential });
  return {
    outputSchema: port.outputSchema,
    execute: (request, options) => port.execute(request, named(options)),
    asks: () => port.asks(),
    refuse: (error, form) => port.refuse(error, form),
    readResult: (resultId, query) => port.readResult(resultId, query, id),
    description: () => port.description(),
    saveSkill: (request, options) => port.saveSkill(request, named(options)),
    listSkills: () => port.listSkills(id),
    search: (request) => port.search(request, id, grant),
    waitExecution: (request, options) => port.waitExecution(request, named(options)),
    cancelExecution: (executionId, options) => port.cancelExecution(executionId, named(options)),
    executionState: (executionId) => port.executionState(executionId, id),
    approvals: port.approvals,
    listExecutions: (_principal, limit) => port.listExecutions(id, limit),
  };
}
