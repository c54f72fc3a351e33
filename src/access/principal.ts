/** What a principal may call: globs of `server.tool`, such as `github.*`. All tools when there is no grant. */
export type Grant = readonly string[];

/**
 * Who a request comes from. Sessions, results, skills, approvals, quotas and audit lines belong to its id.
 */
export interface Principal {
  /** `local` without authentication, `key:<name>` for an API key, `oauth:<issuer>#<subject>` for a token. The same for the same caller, always. */
  readonly id: string;
  readonly grant?: Grant;
  /** Id of the API key that it came with: what is begun with a key ends with it. */
  readonly credential?: string;
}
