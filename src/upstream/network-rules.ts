import ipaddr from 'ipaddr.js';
import type { HttpServerConfig } from '../config/schema.ts';
import { addressKind, isLoopback, parseAddress, unbracketed } from './address.ts';

/** What a connection is about to be made to. */
export interface ConnectTarget {
  /** As the URL names it. */
  readonly host: string;
  readonly port: number;
  /** The address that is really connected to. */
  readonly address: string;
}

/** Which addresses requests for one server may reach. */
export interface NetworkRules {
  /** Why this connection is not to be made, or nothing when it may be. */
  refusal(target: ConnectTarget): string | undefined;
}

/** `server`: requests to the configured URL. `oauth`: documents and endpoints that the server makes us follow. */
export type Purpose = 'server' | 'oauth';

/** Names that only a network of the operator's own can have: RFC 6761, RFC 6762, RFC 8375, ICANN's .internal, and names of one word. */
const LOCAL_NAME = /^[^.]+$|\.(?:localhost|local|internal|home\.arpa|lan)$/;

interface Place {
  readonly host: string;
  readonly port: number | undefined;
}

/**
 * Public addresses are for all. A local one is for the host that the operator wrote, when it is plainly local (an address, `localhost`,
 * a name without a dot) or `network.allowPrivate` says so, and for what `network.allow` lists; the rest only where listed as an address.
 */
export function createNetworkRules(config: HttpServerConfig, purpose: Purpose): NetworkRules {
  const { allowPrivate, allow = [] } = config.network ?? {};
  const own = ownPlaces(config, purpose);
  const ranges = allow.flatMap(parseRange);
  const places = allow.filter((entry) => parseRange(entry).length === 0).map(parsePlace);
  const isOwn = (target: Place): boolean => {
    if (allowPrivate === false || !own.some((place) => matches(place, target))) return false;
    return allowPrivate === true || isLocalHost(target.host);
  };
  return {
    refusal({ host: written, port, address }) {
      const host = unbracketed(written);
      if (isLocalhost(host) && !isLoopback(address)) return `${host} leads to ${address}, which is not this machine`;
      const kind = addressKind(address);
      if (kind === 'public' || ranges.some((range) => isWithin(address, range))) return undefined;
      if (kind === 'local' && (isOwn({ host, port }) || places.some((place) => matches(place, { host, port })))) return undefined;
      return `${host}:${port} leads to ${address}, which is ${kind === 'local' ? 'a private address' : 'an address of no server'}`;
    },
  };
}

/** Whether a host is this machine by its name alone. */
export function isLoopbackHost(host: string): boolean {
  const bare = unbracketed(host);
  return isLocalhost(bare) || isLoopback(bare);
}

/** The port of a URL, also where it is the scheme's own. */
export function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port);
  return url.protocol === 'https:' ? 443 : 80;
}

function ownPlaces(config: HttpServerConfig, purpose: Purpose): Place[] {
  const url = new URL(config.url);
  const host = unbracketed(url.hostname);
  if (purpose === 'server') return [{ host, port: portOf(url) }];
  const places: Place[] = [{ host, port: undefined }];
  const { issuer } = config.oauth ?? {};
  if (issuer !== undefined) places.push({ host: unbracketed(new URL(issuer).hostname), port: undefined });
  // One machine, however it is called.
  if (places.some((place) => isLoopbackHost(place.host))) {
    places.push(...['localhost', '127.0.0.1', '::1'].map((name) => ({ host: name, port: undefined })));
  }
  return places;
}

function isLocalHost(host: string): boolean {
  return parseAddress(host) !== undefined || LOCAL_NAME.test(host);
}

function isLocalhost(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost');
}

function matches(place: Place, target: Place): boolean {
  return place.host === target.host && (place.port === undefined || place.port === target.port);
}

type Range = ReturnType<typeof ipaddr.parseCIDR>;

function parseRange(entry: string): Range[] {
  if (ipaddr.isValidCIDR(entry)) return [ipaddr.parseCIDR(entry)];
  const address = parseAddress(entry);
  return address === undefined ? [] : [[address, address.kind() === 'ipv4' ? 32 : 128]];
}

function isWithin(text: string, [base, bits]: Range): boolean {
  const address = parseAddress(text);
  return address !== undefined && address.kind() === base.kind() && address.match(base, bits);
}

function parsePlace(entry: string): Place {
  const url = new URL(`http://${entry}`);
  return { host: unbracketed(url.hostname), port: /:\d+$/.test(entry) ? portOf(url) : undefined };
}
