import { lookup } from 'node:dns/promises';
import { SandboxError } from '../errors.ts';
import { isLoopbackAddress } from '../loopback.ts';

type Resolve = (host: string) => Promise<readonly { readonly address: string }[]>;

const lookupAll: Resolve = (host) => lookup(host, { all: true });

/**
 * Without authentication only this machine may come: refuses an address that others reach. A name counts as this machine only when all
 * of its addresses do. What does not resolve cannot be listened on either, which is told then.
 * @param field what the address stands in, as the operator knows it
 * @param resolve finds all addresses of a name. Default: as the system does
 * @throws SandboxError ERR_ACCESS_REQUIRED
 */
export async function demandLoopback(host: string, field: string, resolve: Resolve = lookupAll): Promise<void> {
  const found = await resolve(host).catch(() => []);
  if (!found.every(({ address }) => isLoopbackAddress(address))) throw accessRequired(host, field);
}

/** @param host the address, or the name that has it */
export function accessRequired(host: string, field: string): SandboxError {
  const message = `${field} is ${JSON.stringify(host)}, which other machines can reach, and there is no authentication.`;
  return new SandboxError('ERR_ACCESS_REQUIRED', message, {
    hint: 'Either set it to 127.0.0.1, so that only this machine comes in, or ask who comes: with "auth": { "keys": true } in the config clients send a key that "ampoule keys create NAME" makes.',
  });
}
