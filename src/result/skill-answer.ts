import type { SandboxError } from '../errors.ts';
import type { SavedSkill } from '../skill/save-skill.ts';
import { describeDiagnostic, describeFailure } from './failure.ts';
import { diagnosticLine, failureLines } from './text.ts';

const HINTS: Readonly<Record<string, string>> = {
  ERR_CHECK_TYPES: 'Correct the code and send it again; nothing was saved.',
  ERR_EXECUTE_CANCELLED: 'Send the skill again.',
};

/** The answer to `save_skill`: text alone, because it is for the model and a structured copy would be read twice. */
export interface SkillAnswer {
  readonly text: string;
  readonly isError: boolean;
}

/** Version and state, then what to do next. */
export function presentSkill({ name, version, state, importLine, inUse, warnings }: SavedSkill): SkillAnswer {
  const lines = [`saved: ${name}, version ${version}, ${state}`];
  if (state === 'waiting') {
    const meanwhile = inUse === undefined ? 'It cannot be imported before.' : `Until then version ${inUse} stays in use.`;
    lines.push(`It waits for the operator: ampoule skills approve ${name}@${version}. ${meanwhile}`);
  }
  lines.push(importLine);
  if (warnings.length > 0) lines.push('type errors (it was saved all the same):', ...warnings.map(describeDiagnostic).map(diagnosticLine));
  return { text: lines.join('\n'), isError: false };
}

/** Why a skill was not saved. */
export function presentSkillFailure({ code, message, details }: SandboxError): SkillAnswer {
  const failure = describeFailure({ code, message, ...details, hint: details.hint ?? HINTS[code] });
  return { text: [`failed: ${code}`, ...failureLines(failure)].join('\n'), isError: true };
}
