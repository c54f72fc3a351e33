import type { z } from 'zod';
import type { ExecutionPort, WaitMode } from './execution-port.ts';
import type { ApprovalPort } from './parking.ts';
import type { Grant } from '../access/principal.ts';
import type { SearchAnswer, SearchRequest } from '../discovery/entry.ts';
import type { SandboxError } from '../errors.ts';
import type { Limits } from '../limits.ts';
import type { KeptPage } from '../kept-result/kept-results.ts';
import type { AnswerForm } from '../result/answer.ts';
import type { Approver } from '../policy/approval.ts';
import type { ExecuteResponse } from '../result/present.ts';
import type { SkillAnswer } from '../result/skill-answer.ts';
import type { ListedSkill } from '../skill/listing.ts';
import type { SaveSkillRequest } from '../skill/save-skill.ts';
import type { Catalog } from '../upstream/catalog.ts';
import type { WrapperSet } from '../wrappers/wrapper-set.ts';

export type { KeptPage } from '../kept-result/kept-results.ts';
export type { AnswerForm } from '../result/answer.ts';
export type { ExecuteResponse } from '../result/present.ts';

/** The principal of everybody who comes without authentication. */
export const LOCAL_PRINCIPAL = 'local';

/** Limits that one call asks for. The lower of these and the operator's counts. Units as in `src/limits.ts`. */
export interface CallLimits {
  readonly timeoutMs?: number;
  readonly waitMs?: number;
  readonly fuel?: number;
  readonly memoryMb?: number;
  readonly maxToolCalls?: number;
  /** The only upstream servers that this run may call. */
  readonly servers?: readonly string[];
  /** Most calls by `server.tool` or `server.*`; 0 forbids. */
  readonly tools?: Readonly<Record<string, number>>;
}

/** A checked call of `execute_code`. */
export interface ExecuteRequest {
  readonly code: string;
  /** Any JSON value, within the operator's bounds. */
  readonly input?: unknown;
  /** "new" begins a session, a handle goes on with one; without it the run has no state that stays. */
  readonly session?: string;
  /** Tools that change things are not called: the answer lists what would have been. */
  readonly dryRun?: boolean;
  readonly limits?: CallLimits;
  /** When the answer comes. Default: completed. */
  readonly wait?: WaitMode;
  /** An answer that says what the run waits for comes after so many milliseconds at the latest; the lower of this and the operator's `answerAfterMs`. */
  readonly answerAfterMs?: number;
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
  /** Who asks: sessions, results and skills belong to somebody. Default: `LOCAL_PRINCIPAL`, the only one without authentication. */
  readonly principal?: string;
  /** The tools that the principal may call; all when absent. */
  readonly grant?: Grant | undefined;
  /** Id of the API key that the request came with: what goes on without the request ends when it is revoked. */
  readonly credential?: string | undefined;
  /** Where the answer has its content. Default: structured. */
  readonly form?: AnswerForm | undefined;
  /** Asks a person about single calls of tools; absent when nobody can be asked. */
  readonly approver?: Approver;
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
  /** Whether agents may save modules and import them. */
  readonly skills?: boolean;
  /** Most tokens of the whole description. */
  readonly descriptionTokens?: number;
}

/** The sandbox as the MCP surface needs it. `src/sandbox.ts` is the real one. */
export interface SandboxPort extends ExecutionPort {
  /** The shape of `structuredContent`. */
  readonly outputSchema: z.ZodType;
  /** Runs a program. Failures are responses too; what it throws is shown through `refuse`. */
  execute(request: ExecuteRequest, options: ExecuteOptions): Promise<ExecuteResponse>;
  /** Of clients that come back with a person's answers. Absent where executions are not stored. */
  readonly approvals?: ApprovalPort | undefined;
  /** Whether a person may be asked about a call of any tool that there is now. */
  asks(): boolean;
  /** The answer to a call that never became a run. */
  refuse(error: SandboxError, form?: AnswerForm): ExecuteResponse;
  /**
   * A page of a result that was too large for its answer.
   * @param query what follows the "?" of its URI
   * @throws SandboxError ERR_RESULT_UNKNOWN, ERR_RESULT_STORE, ERR_SERVER_INPUT when there is no such page
   */
  readResult(id: string, query: string, principal?: string): KeptPage;
  /** The current catalog. The same objects as long as nothing changed. */
  description(): DescriptionSource;
  /** Keeps a module for later programs, in the name of the principal. Failures are answers too. */
  saveSkill(request: SaveSkillRequest, options: ExecuteOptions): Promise<SkillAnswer>;
  /** The skills that the principal (default: `LOCAL_PRINCIPAL`) may import. */
  listSkills(principal?: string): readonly ListedSkill[];
  /**
   * Finds functions that the grant has (default: all), and skills that the principal (default: `LOCAL_PRINCIPAL`) may import.
   * @throws SandboxError ERR_SERVER_INPUT
   */
  search(request: SearchRequest, principal?: string, grant?: Grant): Promise<SearchAnswer>;
}
