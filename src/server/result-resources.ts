import {
  type McpServer,
  ProtocolError,
  ProtocolErrorCode,
  type ReadResourceResult,
  ResourceTemplate,
  UriTemplate,
} from '@modelcontextprotocol/server';
import { type SandboxError, toSandboxError } from '../errors.ts';
import type { KeptPage, SandboxPort } from './sandbox-port.ts';

const PREFIX = 'ampoule://results/';
const TEMPLATE = `${PREFIX}{id}{?offset,limit,unit}`;

/** Longest URI that is looked at. */
const MAX_URI = 512;

/** Results that were too large for their answers, as resources that are read in pages. They are not listed: to know the name is half of the right to read. */
export function registerResults(server: McpServer, port: SandboxPort): void {
  const template = new ResourceTemplate(new ResultTemplate(TEMPLATE), { list: undefined });
  const config = {
    title: 'Whole results',
    description:
      'What an answer shows shortened, in pages: items of a list, lines of a text, or bytes. Without offset and limit, the first page.',
  };
  server.registerResource('results', template, config, (uri) => {
    const [id = '', query = ''] = uri.href.slice(PREFIX.length).split('?', 2);
    try {
      return readResult(uri.href, port.readResult(id, query));
    } catch (error) {
      throw protocolError(uri.href, toSandboxError(error));
    }
  });
}

/** The SDK's own takes a query to be there whole or not at all. */
class ResultTemplate extends UriTemplate {
  override match(uri: string): Record<string, string> | null {
    return uri.startsWith(PREFIX) && uri.length <= MAX_URI ? { id: uri.slice(PREFIX.length) } : null;
  }
}

/** The page, and after it in words and in `_meta` where the next one is. */
function readResult(uri: string, page: KeptPage): ReadResourceResult {
  const { mimeType, unit, offset, shown, total, next } = page;
  const isText = mimeType.startsWith('text/') || mimeType.includes('json');
  const bytes = Buffer.from(page.bytes.buffer, page.bytes.byteOffset, page.bytes.length);
  const content = isText ? { uri, mimeType, text: bytes.toString('utf8') } : { uri, mimeType, blob: bytes.toString('base64') };
  const _meta = { 'ampoule/page': { unit, offset, shown, total, ...(next !== undefined && { next }) } };
  const isWhole = next === undefined && offset === 0;
  return { contents: isWhole ? [content] : [content, { uri, mimeType: 'text/plain', text: wordsOf(page) }], _meta };
}

function wordsOf({ unit, offset, shown, total, next }: KeptPage): string {
  const range = shown === 0 ? 'nothing' : `${unit} ${offset} to ${offset + shown - 1}`;
  const end = next === undefined ? 'This is the last page.' : `Next page: ${next}`;
  return `These are ${range} of ${total}, counted from 0. ${end}`;
}

function protocolError(uri: string, { code, message, details }: SandboxError): ProtocolError {
  const hint = details.hint === undefined ? '' : ` ${details.hint}`;
  // Not found, an offset behind the end, a word that is none: the parameters are wrong in any case.
  const kind = code === 'ERR_RESULT_STORE' || code === 'ERR_INTERNAL' ? ProtocolErrorCode.InternalError : ProtocolErrorCode.InvalidParams;
  const shown = code === 'ERR_INTERNAL' ? 'the result cannot be read' : `${message}${hint}`;
  return new ProtocolError(kind, `${code}: ${shown}`, { uri, code });
}
