import type { ApprovalAnswer, Approver } from '../execution/approver.ts';

export type { ApprovalAnswer, ApprovalQuestion, Approver } from '../execution/approver.ts';

/** For callers who cannot be asked. */
export const NOBODY: Approver = { ask: () => Promise.resolve({ granted: false, reason: 'unavailable' }) };

/** Why a call was not approved. */
type NoApproval = Extract<ApprovalAnswer, { granted: false }>['reason'];

/** What a program is told when its call was not approved, and the fix, for agent and operator. */
export function notApproved(tool: string, rule: string, reason: NoApproval): { message: string; hint: string } {
  const call = `this call of ${tool} (${rule})`;
  switch (reason) {
    case 'refused':
      return {
        message: `A person was asked about ${call} and refused it. Nothing was sent.`,
        hint: 'Do not try it again in another way; tell the user what you wanted to do and why.',
      };
    case 'dismissed':
      return {
        message: `A person was asked about ${call} and did not answer. Nothing was sent.`,
        hint: 'Go on without it, or tell the user what you wanted to do and run the program again.',
      };
    case 'busy':
      return {
        message: `A person has to approve ${call}, and too many runs are waiting for one already. Nothing was sent.`,
        hint: 'Catch the error and go on without it, or run the program again later.',
      };
    case 'often':
      return {
        message: `A person has to approve ${call}, and this run has asked as many times as it may. Nothing was sent.`,
        hint: 'Make the calls that need a person together, with Promise.all: they are asked about at once.',
      };
    case 'changed':
      return {
        message: `A person was asked about ${call}, and the call is not the same any more. Nothing was sent.`,
        hint: 'Look at the tool again and run the program again: then a person is asked about what it does now.',
      };
    case 'unavailable':
      return {
        message: `A person has to approve ${call}, and this client cannot ask one. Nothing was sent.`,
        hint: 'Catch the error and go on without it, or use a client with elicitation. The operator can allow the tool under policies.servers in the config.',
      };
  }
}
