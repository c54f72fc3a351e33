import ipaddr from 'ipaddr.js';

/** Failures are counted for so long from the first one on, in milliseconds. */
const WINDOW_MS = 60_000;
/** So many addresses are remembered; past it the one that failed first goes. */
const MAX_ADDRESSES = 10_000;

/** Wrong keys and tokens by remote address. What one address does is never counted against another. */
export interface FailureBound {
  /** Counts a failure. Seconds until another one is answered as what it is; 0 while the address is within the bound. */
  failed(address: string): number;
}

/** @param most failures of one address in a minute */
export function createFailureBound(most: number, now: () => number = Date.now): FailureBound {
  const windows = new Map<string, { readonly endsAt: number; failures: number }>();
  const windowOf = (key: string): { readonly endsAt: number; failures: number } => {
    const found = windows.get(key);
    // A window that ends later than it can is of a clock that was set back since.
    if (found !== undefined && found.endsAt > now() && found.endsAt <= now() + WINDOW_MS) return found;
    const fresh = { endsAt: now() + WINDOW_MS, failures: 0 };
    windows.delete(key);
    windows.set(key, fresh);
    const [oldest] = windows.keys();
    if (windows.size > MAX_ADDRESSES && oldest !== undefined) windows.delete(oldest);
    return fresh;
  };
  return {
    failed: (address) => {
      const window = windowOf(network(address));
      window.failures++;
      return window.failures <= most ? 0 : Math.ceil((window.endsAt - now()) / 1_000);
    },
  };
}

/** An IPv6 address stands for its /64: whoever has one has all of it. */
function network(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  return parsed instanceof ipaddr.IPv6 ? parsed.parts.slice(0, 4).join(':') : parsed.toString();
}
