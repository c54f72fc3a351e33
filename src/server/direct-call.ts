import type { IncomingHttpHeaders } from 'node:http';
import { EXECUTION_CALLS, type ExecutionCall } from './execution-calls.ts';

export const MODERN = '2026-07-28';
/** Revisions without a change in calls of tools between them; a client that names none speaks one of them. */
const LEGACY = new Set([undefined, '2025-03-26', '2025-06-18', '2025-11-25']);
const VERSION_KEY = 'io.modelcontextprotocol/protocolVersion';
const ENVELOPE_KEYS = new Set([VERSION_KEY, 'io.modelcontextprotocol/clientInfo', 'io.modelcontextprotocol/clientCapabilities']);

/** Characters: envelopes are remembered, so a client must not be able to make them large. */
const MAX_ENVELOPE = 4_096;

/** A plain call of a tool whose answer is that of an execution: it asks for no progress and carries nothing that the SDK would have to read. */
export interface DirectCall {
  readonly era: 'modern' | 'legacy';
  readonly id: string | number;
  readonly call: ExecutionCall;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** What the client says of itself with each request, as JSON; "" in the legacy era. */
  readonly envelope: string;
}

/** The call that a message is; undefined for every other message, and for what may be refused. */
export function readDirectCall(headers: IncomingHttpHeaders, message: object): DirectCall | undefined {
  const { jsonrpc, id, method, params, ...more } = message as Readonly<Record<string, unknown>>;
  if (jsonrpc !== '2.0' || method !== 'tools/call' || !isId(id) || !isRecord(params) || !isEmpty(more)) return undefined;
  const { name, arguments: args, _meta: meta, ...others } = params;
  const call = typeof name === 'string' ? EXECUTION_CALLS.get(name) : undefined;
  if (call === undefined || !isRecord(args) || !isEmpty(others) || !takesBoth(headers.accept)) return undefined;
  const version = headers['mcp-protocol-version'];
  if (meta === undefined) return isPlainLegacy(headers) ? { era: 'legacy', id, call, arguments: args, envelope: '' } : undefined;
  const agrees = version === MODERN && headers['mcp-method'] === method && headers['mcp-name'] === name;
  if (!agrees || !isEnvelope(meta)) return undefined;
  const envelope = JSON.stringify(meta);
  return envelope.length > MAX_ENVELOPE ? undefined : { era: 'modern', id, call, arguments: args, envelope };
}

function isPlainLegacy(headers: IncomingHttpHeaders): boolean {
  const version = headers['mcp-protocol-version'];
  const isKnown = LEGACY.has(Array.isArray(version) ? version.join() : version);
  return isKnown && headers['mcp-method'] === undefined && headers['mcp-name'] === undefined;
}

/** Of this revision, complete, and with nothing more in it: no token for progress, no tracing. */
function isEnvelope(meta: unknown): boolean {
  if (!isRecord(meta) || meta[VERSION_KEY] !== MODERN) return false;
  const keys = Object.keys(meta);
  return keys.length === ENVELOPE_KEYS.size && keys.every((key) => ENVELOPE_KEYS.has(key));
}

function takesBoth(accept = ''): boolean {
  return accept.includes('application/json') && accept.includes('text/event-stream');
}

function isId(id: unknown): id is string | number {
  return typeof id === 'string' || Number.isSafeInteger(id);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isEmpty(record: object): boolean {
  return Object.keys(record).length === 0;
}
