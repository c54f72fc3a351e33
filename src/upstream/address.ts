import ipaddr from 'ipaddr.js';

/**
 * What an address is to us. `public`: anybody's. `local`: this machine or a network of the operator's (loopback, RFC 1918, unique
 * local, carrier-grade NAT, unspecified). `never`: an address that no MCP or authorization server has, such as link-local and others where
 * clouds keep the credentials of the machine, multicast, reserved ones, and those that hold another address (NAT64, 6to4, Teredo).
 */
export type AddressKind = 'public' | 'local' | 'never';

const LOCAL = new Set(['loopback', 'private', 'uniqueLocal', 'carrierGradeNat', 'unspecified']);
/** IANA gives out public IPv6 addresses from here alone, so what is outside is not public whatever a table says. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/** Where clouds keep the credentials of the machine besides link-local addresses: Azure, Alibaba, AWS and Google. */
const OF_CLOUDS = new Set(['168.63.129.16', '100.100.100.200', 'fd00:ec2::254', 'fd20:ce::254']);

/** The kind of an IP address; `never` for what is no address. */
export function addressKind(text: string): AddressKind {
  const address = parseAddress(text);
  if (address === undefined || OF_CLOUDS.has(address.toString())) return 'never';
  const range = address.range();
  if (LOCAL.has(range)) return 'local';
  if (range !== 'unicast') return 'never';
  return address instanceof ipaddr.IPv6 && !address.match(GLOBAL_UNICAST) ? 'never' : 'public';
}

export function isLoopback(text: string): boolean {
  return parseAddress(text)?.range() === 'loopback';
}

/** An IPv4 address that is written as an IPv6 one is the IPv4 one, as the system connects to it. */
export function parseAddress(text: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  const bare = unbracketed(text);
  // The deprecated form of RFC 4291, which ipaddr.js takes for the IPv4 address itself.
  if (/^::\d+\.\d+\.\d+\.\d+$/.test(bare)) return undefined;
  return ipaddr.isValid(bare) ? ipaddr.process(bare) : undefined;
}

/** A host as URLs have it, without the brackets of IPv6, the dot at the end of a full name, and capitals. */
export function unbracketed(host: string): string {
  return host
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
    .toLowerCase();
}
