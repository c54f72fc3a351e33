import type { z } from 'zod';
import type { SandboxError } from '../errors.ts';
import type { Limits } from '../limits.ts';
import type { ExecuteResponse } from '../result/present.ts';
import type { Catalog } from '../upstream/catalog.ts';
import type { WrapperSet } from '../wrappers/wrapper-set.ts';

export type { ExecuteResponse } from '../result/present.ts';

/** Limits that one call asks for. The lower of these and the operator's counts. Units as in `src/limits.ts`. */
export interface CallLimits {
  readonly timeoutMs?: number;
  readonly waitMs?: number;
  readonly fuel?: number;
  readonly memoryMb?: number;
  readonly maxToolCalls?: number;
  /** The only upstream servers that this run may call. */
  readonly servers?: readonly string[];
}

/** A checked call of `execute_code`. */
export interface ExecuteRequest {
  readonly code: string;
  /** Any JSON value, within the operator's bounds. */
  readonly input?: unknown;
  readonly session?: string;
  readonly limits?: CallLimits;
}

/** How far a run is. `progress` rises. */
export interface ProgressEvent {
  readonly message: string;
  readonly progress: number;
  readonly total?: number;
}

export interface ExecuteOptions {
  /** Fires when the caller cancels or the server closes. */
  readonly signal: AbortSignal;
  /** Absent when nobody listens. */
  readonly onProgress?: (event: ProgressEvent) => void;
}

/** What the tool's description is made from. */
export interface DescriptionSource {
  readonly wrappers: WrapperSet;
  readonly catalog: Catalog;
  readonly limits: Limits;
  /** npm packages that programs may import. */
  readonly libraries?: readonly string[];
  /** Names of the mounts that `readFile` can read. */
  readonly mounts?: readonly string[];
}

/** The sandbox as the MCP surface needs it. `src/sandbox.ts` is the real one. */
export interface SandboxPort {
  /** The shape of `structuredContent`. */
  readonly outputSchema: z.ZodType;
  /** Runs a program. Failures are responses too; what it throws is shown through `refuse`. */
  execute(request: ExecuteRequest, options: ExecuteOptions): Promise<ExecuteResponse>;
  /** The answer to a call that never became a run. */
  refuse(error: SandboxError): ExecuteResponse;
  /** The current catalog. The same objects as long as nothing changed. */
  description(): DescriptionSource;
}
