import type { AuthInfo } from '@modelcontextprotocol/server';
import type { Principal } from '../access/principal.ts';
import { LOCAL_PRINCIPAL } from './sandbox-port.ts';

/** Everybody, where there is no authentication. */
export const LOCAL: Principal = { id: LOCAL_PRINCIPAL };

/** Who a request was found to come from, on its way through the SDK. */
export function toAuthInfo(principal: Principal): AuthInfo {
  // The token itself goes no further than the authentication.
  return { token: '', clientId: principal.id, scopes: [], extra: { principal } };
}

/** Reads what {@link toAuthInfo} has written. With authentication nobody is `local`: a request that came past it is a fault of ours. */
export type ReadPrincipal = (auth: AuthInfo | undefined) => Principal;

/** @param isRequired whether there is authentication */
export function principalReader(isRequired: boolean): ReadPrincipal {
  return (auth) => {
    const principal = auth?.extra?.['principal'] as Principal | undefined; // written above, and nowhere else
    if (principal !== undefined) return principal;
    if (isRequired) throw new Error('A request came past the authentication');
    return LOCAL;
  };
}
