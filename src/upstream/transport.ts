import type { Transport } from '@modelcontextprotocol/client';

/** Why a connection ended that we did not end. */
export interface ConnectionEnd {
  /** For the operator. */
  readonly reason: string;
  /** It ended because a message was over the size limit. */
  readonly oversized: boolean;
}

/** A transport that knows why it ended. */
export interface UpstreamTransport extends Transport {
  readonly end: ConnectionEnd | undefined;
}
