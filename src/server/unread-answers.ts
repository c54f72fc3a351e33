import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Answers that clients have not read yet, of all of them together. Against: many clients that ask for much and read nothing. */
const MAX_UNREAD_BYTES = 256 * 1024 * 1024;
const LOOK_MS = 100;

/** Ends the connections that hold most, when the answers that nobody reads are more than memory is there for. */
export function boundUnreadAnswers(server: Server, maxBytes = MAX_UNREAD_BYTES): void {
  const open = new Map<Socket, Set<ServerResponse>>();
  let timer: NodeJS.Timeout | undefined;
  server.on('request', ({ socket }, res) => {
    responsesOf(open, socket).add(res);
    res.once('close', () => open.get(socket)?.delete(res));
    timer ??= setInterval(() => {
      endLargest(open, maxBytes);
      if (open.size > 0) return;
      clearInterval(timer);
      timer = undefined;
    }, LOOK_MS).unref();
  });
}

function responsesOf(open: Map<Socket, Set<ServerResponse>>, socket: Socket): Set<ServerResponse> {
  const known = open.get(socket);
  if (known) return known;
  const responses = new Set<ServerResponse>();
  open.set(socket, responses);
  // Answers to requests that came in a row are never closed when their connection is.
  socket.once('close', () => open.delete(socket));
  return responses;
}

function endLargest(open: ReadonlyMap<Socket, ReadonlySet<ServerResponse>>, maxBytes: number): void {
  const held = [...open].map(([socket, responses]) => ({ socket, bytes: unreadBytes(socket, responses) })).filter(({ bytes }) => bytes > 0);
  let sum = held.reduce((total, { bytes }) => total + bytes, 0);
  if (sum <= maxBytes) return;
  for (const { socket, bytes } of held.toSorted((a, b) => b.bytes - a.bytes)) {
    if (sum <= maxBytes) return;
    socket.destroy();
    sum -= bytes;
  }
}

/** What has been handed to the connection, and what waits behind that for its turn. */
function unreadBytes(socket: Socket, responses: ReadonlySet<ServerResponse>): number {
  let bytes = socket.writableLength;
  for (const res of responses) if (res.socket === null) bytes += res.writableLength;
  return bytes;
}
