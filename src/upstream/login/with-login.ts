import type { AuthProvider, FetchLike } from '@modelcontextprotocol/client';
import { SandboxError } from '../../errors.ts';
import type { LiveLogin } from './live-login.ts';

/** What a transport of the SDK is given. */
interface Wired {
  readonly fetch: FetchLike;
  readonly authProvider?: AuthProvider;
}

/**
 * The SDK asks for a token before each request, and tells when one is not taken; which one that was, it does not tell. Not the SDK's
 * own OAuth provider: that would send the operator's headers to the authorization server too, and print what that says.
 */
export function withLogin(fetch: FetchLike, login: LiveLogin | undefined, onFailure: (error: SandboxError) => void): Wired {
  const noted = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      if (error instanceof SandboxError) onFailure(error);
      throw error;
    }
  };
  if (login === undefined) return { fetch: (url, init) => noted(fetch(url, init)) };
  const sent = new WeakMap<Response, string>();
  return {
    fetch: async (url, init) => {
      const response = await noted(fetch(url, init));
      const token = /^Bearer (.+)$/.exec(new Headers(init?.headers).get('authorization') ?? '')?.[1];
      if (response.status === 401 && token !== undefined) sent.set(response, token);
      return response;
    },
    authProvider: {
      token: () => noted(login.token()),
      onUnauthorized: ({ response }) => noted(login.rejected(sent.get(response))),
    },
  };
}
