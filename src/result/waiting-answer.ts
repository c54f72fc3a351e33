import type { AnswerForm, ExecuteResponse } from './answer.ts';
import type { ExecuteOutput, WaitedFor, WaitingOutput } from './output-schema.ts';

/** The answer about a run that goes on, in one of the two forms. Of what there is not yet nothing is sent. */
export function waitingAnswer(structured: ExecuteOutput, form: AnswerForm | undefined): ExecuteResponse {
  const { logs: _logs, calls: _calls, usage, ...known } = structured;
  const { status, executionId, session } = known;
  if (form === 'text') {
    const reduced = { status, executionId, ...(session !== undefined && { session }), restIn: 'text' as const };
    return { structured, reduced, content: [{ type: 'text', text: waitingText(known) }] };
  }
  const isKnown = usage.fuel > 0;
  const text = `${status}; what to do next is in structuredContent`;
  return { structured, reduced: { ...known, ...(isKnown && { usage }) }, content: [{ type: 'text', text }] };
}

/** All that there is to know, for clients that show a model nothing but text. */
function waitingText({ status, executionId, session, waiting = [], moreWaiting, next }: WaitingOutput): string {
  return [
    `${status}: the run goes on; executionId: ${executionId}`,
    ...(waiting.length > 0 ? ['it waits for:', ...waiting.map(waitingLine)] : []),
    ...(moreWaiting === undefined ? [] : [`  … and ${moreWaiting} more`]),
    ...(next === undefined ? [] : [`next: ${next}`]),
    ...(session === undefined ? [] : [`session: ${session}`]),
  ].join('\n');
}

function waitingLine(waited: WaitedFor): string {
  switch (waited.kind) {
    case 'timer':
      return `  timer until ${waited.until}`;
    case 'tool':
      return `  call ${waited.call} of ${waited.server}.${waited.tool}, since ${waited.since}`;
    case 'approval': {
      const { approval, call, server, tool, since, question } = waited;
      return `  approval ${approval} of call ${call} of ${server}.${tool}, since ${since}:\n    ${question.replaceAll('\n', '\n    ')}`;
    }
  }
}
