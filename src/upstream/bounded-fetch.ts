import type { FetchLike } from '@modelcontextprotocol/client';
import { countElements, MAX_MESSAGE_ELEMENTS } from './element-count.ts';

/** A response was larger than we read. */
export class ResponseTooLarge extends Error {
  override readonly name = 'ResponseTooLarge';
}

export interface BoundedFetchHooks {
  /** A response body went over the limit. */
  readonly onTooLarge: () => void;
  /** A GET stream (server to client) has ended or failed. */
  readonly onStreamEnd: () => void;
}

/** The same fetch with bodies that end in an error at `maxBytes`: of the whole body, or of each event in an event stream. */
export function createBoundedFetch(fetch: FetchLike, maxBytes: number, hooks: BoundedFetchHooks): FetchLike {
  return async (url, init) => {
    const response = await fetch(url, init);
    if (response.body === null) return rebuild(response, null);
    const isEvents = (response.headers.get('content-type') ?? '').toLowerCase().startsWith('text/event-stream');
    const isStream = isEvents && init?.method !== 'POST';
    const body = response.body.pipeThrough(byteLimit(maxBytes, isEvents, hooks.onTooLarge));
    return rebuild(response, isStream ? watchEnd(body, hooks.onStreamEnd) : body);
  };
}

function byteLimit(maxBytes: number, perEvent: boolean, onTooLarge: () => void): TransformStream<Uint8Array, Uint8Array> {
  let bytes = 0;
  let elements = 0;
  return new TransformStream({
    transform(chunk, controller) {
      const rest = perEvent ? bytesSinceEventEnd(chunk) : undefined;
      bytes = rest ?? bytes + chunk.byteLength;
      elements = countElements(chunk) + (rest === undefined ? elements : 0);
      if (bytes > maxBytes || elements > MAX_MESSAGE_ELEMENTS) {
        onTooLarge();
        controller.error(new ResponseTooLarge(`a response is over ${maxBytes} bytes`));
      } else controller.enqueue(chunk);
    },
  });
}

/** Bytes after the last empty line in the chunk, or nothing when there is none. Ends that two chunks share only count too much. */
function bytesSinceEventEnd(chunk: Uint8Array): number | undefined {
  const buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const end = Math.max(buffer.lastIndexOf('\n\n'), buffer.lastIndexOf('\r\n\r\n'), buffer.lastIndexOf('\r\r'));
  return end === -1 ? undefined : buffer.length - end;
}

function watchEnd(body: ReadableStream<Uint8Array>, onEnd: () => void): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        controller.close();
      } catch (error) {
        controller.error(error);
      }
      onEnd();
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

/** The same response with another body. `url` and `redirected` are what the SDK and its event source look at besides. */
function rebuild(response: Response, body: ReadableStream<Uint8Array> | null): Response {
  const { status, statusText, headers } = response;
  const copy = new Response(body, { status, statusText, headers });
  Object.defineProperties(copy, { url: { value: response.url }, redirected: { value: response.redirected } });
  return copy;
}
