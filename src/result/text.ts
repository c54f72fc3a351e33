import { clipText, harmlessText } from './harmless-text.ts';
import type { ExecuteFailure, ExecuteOutput } from './output-schema.ts';
import { drawLocation } from './source-location.ts';

/** A result up to this many characters is indented; a longer one is compact. */
const INDENTED_CHARS = 2_000;
const MESSAGE_CHARS = 8 * 1024;
const DIAGNOSTIC_CHARS = 1_000;
const DIAGNOSTICS = 50;

/** What the text needs beside the structured answer. */
export interface TextExtras {
  /** JSON text of `structured.result`; undefined for no result. */
  readonly resultJson: string | undefined;
  /** Number of content blocks that follow the text. */
  readonly attachments: number;
}

/** The short text of an answer whose content is structured: how it ended, and where the rest is. */
export function statusText({ status, error, kept = [] }: ExecuteOutput, attachments: number): string {
  const what = error
    ? `${status}: ${error.code}; the error is in structuredContent.error`
    : `${status}; the answer is in structuredContent`;
  const shortened = isShortened({ kept }) ? ', shortened' : '';
  return `${what}${shortened}${attachments > 0 ? `; ${attachmentsText(attachments)}` : ''}`;
}

function isShortened({ kept = [] }: Pick<ExecuteOutput, 'kept'>): boolean {
  return kept.some(({ what }) => what === 'result');
}

/** The long text of an answer, for clients that show a model nothing else: all that there is to know, once. */
export function renderText(output: ExecuteOutput, extras: TextExtras): string {
  const parts = [
    statusLine(output),
    ...failureLines(output.error),
    ...resultLines(output, extras),
    ...keptLines(output),
    ...warningLines(output),
    ...dryRunLines(output),
    ...failedCallLines(output),
    ...logLines(output),
  ];
  if (output.session !== undefined) parts.push(`session: ${output.session}`);
  if (output.error?.code === 'ERR_INTERNAL') parts.push(`executionId: ${output.executionId}`);
  return parts.join('\n');
}

function attachmentsText(count: number): string {
  return count === 1 ? '1 content block follows' : `${count} content blocks follow`;
}

function statusLine({ status, error, usage }: ExecuteOutput): string {
  const calls = usage.toolCalls === 1 ? '1 tool call' : `${usage.toolCalls} tool calls`;
  const spent = `${round(usage.activeMs)} ms computing, ${round(usage.waitingMs)} ms waiting, ${calls}`;
  return error ? `${status}: ${error.code} (${spent})` : `${status} (${spent})`;
}

/** Message, place, findings and hint of a failure, line by line. */
export function failureLines(error: ExecuteFailure | undefined): string[] {
  if (!error) return [];
  const lines = [harmlessText(clipText(error.message, MESSAGE_CHARS))];
  if (error.location) {
    const { line, column } = error.location;
    lines.push(`at ${moduleOf(error.location, ' ')}line ${line}, column ${column}:`, drawLocation(error.location));
  }
  if (error.stack) lines.push('stack:', ...error.stack.map(frameLine));
  const diagnostics = error.diagnostics ?? [];
  if (diagnostics.length > 1) {
    lines.push(`${diagnostics.length} findings:`, ...diagnostics.slice(0, DIAGNOSTICS).map(diagnosticLine));
    if (diagnostics.length > DIAGNOSTICS) lines.push(`  … and ${diagnostics.length - DIAGNOSTICS} more`);
  }
  if (error.hint !== undefined) lines.push(`hint: ${harmlessText(clipText(error.hint, MESSAGE_CHARS))}`);
  return lines;
}

function warningLines({ warnings = [] }: ExecuteOutput): string[] {
  return warnings.length === 0 ? [] : ['warnings (the program ran all the same):', ...warnings.slice(0, DIAGNOSTICS).map(diagnosticLine)];
}

function keptLines({ kept = [] }: ExecuteOutput): string[] {
  return kept.flatMap(({ what, uri, bytes, expiresAt, shortened }) => [
    `${KEPT_NAMES[what]}: ${uri} (${bytes} bytes, until ${expiresAt}; in code: readFile("${uri.slice('ampoule://'.length)}?offset=0&limit=100"))`,
    ...shortened.map(({ path, shown, of, unit }) => harmlessText(`  shown of ${path}: ${shown} of ${of} ${unit}`)),
  ]);
}

const KEPT_NAMES = {
  result: 'the result is shortened; the whole',
  logs: 'the log is shortened; the whole',
  call: 'whole answer of a tool',
  content: 'content',
} as const;

function dryRunLines({ dryRun = [] }: ExecuteOutput): string[] {
  const lines = dryRun.map((call) =>
    harmlessText(`  ${call.server}.${call.tool} ${JSON.stringify(call.arguments)} (answer: ${call.answer})`),
  );
  return lines.length === 0 ? [] : ['dry run, not called:', ...lines];
}

function failedCallLines({ calls }: ExecuteOutput): string[] {
  const lines = calls.filter(({ ok }) => !ok).map(failedCallLine);
  if (lines.length === 0) return [];
  const more = lines.length > DIAGNOSTICS ? [`  … and ${lines.length - DIAGNOSTICS} more`] : [];
  return ['failed tool calls:', ...lines.slice(0, DIAGNOSTICS), ...more];
}

function failedCallLine({ server, tool, code, times }: ExecuteOutput['calls'][number]): string {
  return [`  ${server}.${tool}`, ...(code === undefined ? [] : [code]), ...(times === undefined ? [] : [`(${times} times)`])].join(' ');
}

function frameLine(location: NonNullable<ExecuteFailure['stack']>[number]): string {
  const { line, column, source } = location;
  return `  ${moduleOf(location, ':')}${line}:${column}  ${clipText(source.trim(), 80)}`;
}

/** The skill that a position is in, and what divides it from the numbers; nothing for the agent's own code. */
function moduleOf({ module }: { module?: string }, divider: string): string {
  return module === undefined ? '' : `${module}${divider}`;
}

/** A finding on one line. */
export function diagnosticLine({ code, message, location }: NonNullable<ExecuteFailure['diagnostics']>[number]): string {
  const place = location ? `${moduleOf(location, ':')}${location.line}:${location.column}  ` : '';
  return `  ${code === undefined ? '' : `${code} `}${place}${harmlessText(clipText(message, DIAGNOSTIC_CHARS))}`;
}

function resultLines(output: ExecuteOutput, { resultJson, attachments }: TextExtras): string[] {
  if (output.status !== 'completed') return [];
  // Said before it is read: the end of a preview is far away.
  const label = isShortened(output) ? 'result, shortened' : 'result';
  const lines =
    resultJson === undefined ? ['no result: the program returned nothing'] : [`${label}: ${shownResult(output.result, resultJson)}`];
  if (attachments > 0) lines.push(attachmentsText(attachments));
  return lines;
}

/** A text as it is, everything else as JSON; indented where that is still short. */
function shownResult(result: unknown, json: string): string {
  if (typeof result === 'string') return harmlessText(result);
  if (typeof result !== 'object' || result === null || json.length > INDENTED_CHARS) return harmlessText(json);
  const indented = JSON.stringify(result, null, 2);
  return harmlessText(indented.length <= INDENTED_CHARS ? indented : json);
}

function logLines({ logs, droppedLogBytes }: ExecuteOutput): string[] {
  if (logs.length === 0) return [];
  const lines = logs.map(({ level, message }) => `  [${level}] ${harmlessText(message).replaceAll('\n', '\n    ')}`);
  return ['logs:', ...lines, ...(droppedLogBytes === undefined ? [] : [`  (${droppedLogBytes} bytes of log were over the limit)`])];
}

function round(ms: number): number {
  return ms < 10 ? Math.round(ms * 10) / 10 : Math.round(ms);
}
