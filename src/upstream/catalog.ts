/** What the SDK calls tool annotations: claims of the upstream server about itself, never trusted for a decision. */
export interface ToolAnnotations {
  readonly title?: string;
  readonly readOnlyHint?: boolean;
  readonly destructiveHint?: boolean;
  readonly idempotentHint?: boolean;
  readonly openWorldHint?: boolean;
}

/** One tool of one upstream server, as listed by it. Schemas are data from a stranger. */
export interface CatalogTool {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly inputSchema: Readonly<Record<string, unknown>>;
  readonly outputSchema?: Readonly<Record<string, unknown>>;
  readonly annotations?: ToolAnnotations;
}

/** Where an upstream server stands. `retrying` and `login` (the operator has to run `ampoule login`) keep the tools that it last listed. */
export type UpstreamState = 'connecting' | 'ready' | 'retrying' | 'login' | 'disabled';

/** One upstream server and the tools of it that the operator allows, sorted by name. */
export interface CatalogServer {
  readonly name: string;
  readonly state: UpstreamState;
  /** Why it is not ready, for the operator. */
  readonly reason?: string;
  readonly title?: string;
  readonly instructions?: string;
  readonly tools: readonly CatalogTool[];
}

/** All upstream servers, sorted by name. A new object on every change. */
export interface Catalog {
  readonly servers: readonly CatalogServer[];
}
