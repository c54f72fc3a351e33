import type { ErrorCode } from '../../errors.ts';
import type { ExecutionStore, StoredApproval } from '../execution-store.ts';
import type { TablesOptions } from './execution-tables.ts';

/** What is asked of the thread that has the database: the methods of the store, by name. */
export type StoreMethod = Exclude<keyof ExecutionStore, 'isDurable' | 'admit' | 'onDecision' | 'onCancelRequest' | 'hurry'>;

export interface StoreRequest {
  /** For the answer. */
  readonly number: number;
  readonly method: StoreMethod;
  readonly parameters: readonly unknown[];
}

/** All that came in one turn of the event loop, in its order. */
export interface StoreBatch {
  /** The clock, in milliseconds since 1970. */
  readonly now: number;
  readonly requests: readonly StoreRequest[];
  /** How many writes were done beside the thread since that was said last. */
  readonly direct: number;
}

export interface PlainError {
  readonly code: ErrorCode;
  readonly message: string;
  /** For the log. */
  readonly cause?: string | undefined;
}

export type StoreReply =
  | { readonly number: number; readonly ok: true; readonly value: unknown }
  | { readonly number: number; readonly ok: false; readonly error: PlainError };

/** What the thread says. */
export interface StoreNews {
  readonly replies: readonly StoreReply[];
  readonly decisions: readonly StoredApproval[];
  readonly cancels: readonly string[];
  /** Told once: whose what this store creates is. */
  readonly owner?: string;
}

export type StoreThreadOptions = TablesOptions;

/** What changes nothing. */
export const READS: ReadonlySet<StoreMethod> = new Set([
  'read',
  'glance',
  'waits',
  'answer',
  'image',
  'list',
  'approval',
  'approvals',
  'approvalsOf',
]);
