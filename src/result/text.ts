import type { SourceLocation } from '../errors.ts';
import { clipText, harmlessText } from './harmless-text.ts';
import type { ExecuteFailure, ExecuteOutput } from './output-schema.ts';
import { drawLocation } from './source-location.ts';

/** A result up to this many characters is shown whole. */
const PREVIEW_CHARS = 2_000;
const SHORTENED = 'The whole result is in structuredContent.result.';
const LOG_LINES = 20;
const LOG_LINE_CHARS = 300;
const DIAGNOSTICS = 10;

/** What the text needs beside the structured answer. */
export interface TextExtras {
  /** JSON text of `structured.result`; undefined for no result. */
  readonly resultJson: string | undefined;
  /** Number of content blocks that follow the text. */
  readonly attachments: number;
  /** Frames in the agent's own code, innermost first. */
  readonly frames: readonly SourceLocation[];
}

/** The short text of an answer, for models: small results whole, long ones shortened, and what to do on failure. */
export function renderText(output: ExecuteOutput, extras: TextExtras): string {
  const parts = [
    statusLine(output),
    ...failureLines(output.error, extras.frames),
    ...resultLines(output, extras),
    ...warningLines(output),
    ...logLines(output),
  ];
  if (output.session !== undefined) parts.push(`session: ${output.session}`);
  return parts.join('\n');
}

function statusLine({ status, error, usage }: ExecuteOutput): string {
  const calls = usage.toolCalls === 1 ? '1 tool call' : `${usage.toolCalls} tool calls`;
  const spent = `${round(usage.activeMs)} ms computing, ${round(usage.waitingMs)} ms waiting, ${calls}`;
  return error ? `${status}: ${error.code} (${spent})` : `${status} (${spent})`;
}

function failureLines(error: ExecuteFailure | undefined, frames: readonly SourceLocation[]): string[] {
  if (!error) return [];
  const lines = [harmlessText(clipText(error.message, PREVIEW_CHARS))];
  if (error.location) lines.push(`at line ${error.location.line}, column ${error.location.column}:`, drawLocation(error.location));
  if (frames.length > 1) lines.push('stack:', ...frames.map(frameLine));
  const diagnostics = error.diagnostics ?? [];
  if (diagnostics.length > 1) {
    lines.push(`${diagnostics.length} findings:`, ...diagnostics.slice(0, DIAGNOSTICS).map(diagnosticLine));
    if (diagnostics.length > DIAGNOSTICS) lines.push(`  … and ${diagnostics.length - DIAGNOSTICS} more`);
  }
  if (error.hint !== undefined) lines.push(`hint: ${harmlessText(clipText(error.hint, PREVIEW_CHARS))}`);
  return lines;
}

function warningLines({ warnings = [] }: ExecuteOutput): string[] {
  return warnings.length === 0
    ? []
    : ['type errors (the program ran all the same):', ...warnings.slice(0, DIAGNOSTICS).map(diagnosticLine)];
}

function frameLine({ line, column, source }: SourceLocation): string {
  return `  ${line}:${column}  ${clipText(source.trim(), 80)}`;
}

function diagnosticLine({ message, location }: NonNullable<ExecuteFailure['diagnostics']>[number]): string {
  const place = location ? `${location.line}:${location.column}  ` : '';
  return `  ${place}${harmlessText(clipText(message, LOG_LINE_CHARS))}`;
}

function resultLines(output: ExecuteOutput, { resultJson, attachments }: TextExtras): string[] {
  if (output.status !== 'completed') return [];
  const lines = resultJson === undefined ? ['no result: the program returned nothing'] : [`result: ${preview(output.result, resultJson)}`];
  if (attachments > 0) lines.push(`${attachments} content ${attachments === 1 ? 'block follows' : 'blocks follow'}`);
  return lines;
}

/** A text as it is, everything else as JSON; indented where that still fits. */
function preview(result: unknown, json: string): string {
  const whole = typeof result === 'string' ? result : json;
  if (whole.length > PREVIEW_CHARS) return harmlessText(`${clipText(whole, PREVIEW_CHARS)}\n${SHORTENED}`);
  if (typeof result !== 'object' || result === null) return harmlessText(whole);
  const indented = JSON.stringify(result, null, 2);
  return harmlessText(indented.length <= PREVIEW_CHARS ? indented : whole);
}

function logLines({ logs, droppedLogBytes }: ExecuteOutput): string[] {
  if (logs.length === 0) return [];
  const shown = logs.slice(-LOG_LINES);
  const title = shown.length === logs.length ? 'logs:' : `logs (last ${shown.length} of ${logs.length}):`;
  const lines = shown.map(({ level, message }) => {
    return `  [${level}] ${harmlessText(clipText(message, LOG_LINE_CHARS)).replaceAll('\n', '\n    ')}`;
  });
  return [title, ...lines, ...(droppedLogBytes === undefined ? [] : [`  (${droppedLogBytes} bytes of log were over the limit)`])];
}

function round(ms: number): number {
  return ms < 10 ? Math.round(ms * 10) / 10 : Math.round(ms);
}
