import { compileGlob } from '../glob.ts';

/** Tools by `server.tool`, both as globs: `mail.*`, `web.post`, `*.delete*`. */
export interface Address {
  readonly text: string;
  matches(server: string, tool: string): boolean;
}

/** A server's glob and a tool's glob. */
export interface AddressPart {
  readonly server: string;
  readonly tool: string;
}

/**
 * Every way to read an address: names of servers and tools may hold dots themselves, so each dot may be the one between them. None for a text that is
 * no address.
 */
export function addressParts(text: string): AddressPart[] {
  return [...text.matchAll(/\./g)]
    .map(({ index }) => ({ server: text.slice(0, index), tool: text.slice(index + 1) }))
    .filter(({ server, tool }) => server !== '' && tool !== '');
}

/** An address, compiled once. */
export function compileAddress(text: string): Address {
  const parts = addressParts(text).map(({ server, tool }) => ({ server: compileGlob(server), tool: compileGlob(tool) }));
  return { text, matches: (server, tool) => parts.some((part) => part.server(server) && part.tool(tool)) };
}

/** Whether a text names one thing and not several. */
export function isPlainName(text: string): boolean {
  return !/[*?[\]{}()|!+@\\]/.test(text);
}
