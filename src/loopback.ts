import ipaddr from 'ipaddr.js';

/** Whether an IP address is one of this machine that no other machine reaches. */
export function isLoopbackAddress(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'loopback';
}

/** Whether the host of a URL is this machine: `localhost`, or a loopback address, with its brackets if it has some. */
export function isLoopbackHost(hostname: string): boolean {
  return hostname === 'localhost' || isLoopbackAddress(hostname.replace(/^\[(.*)\]$/, '$1'));
}
