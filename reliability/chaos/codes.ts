import type { ErrorCode } from '../../src/errors.ts';

/** Codes that are the right answer to a request whose processes were ended under it, by what was ended. Nothing else is. */

/** The executor or one of its workers, so often in a row that the run is given up: before that it is begun again. */
export const RUN_LOST: ErrorCode = 'ERR_EXECUTE_LOST';
export const LOST_AFTER = 4;
/** The checker twice in one check; the bundler three times in one bundle, or the thread of the parser. */
const PREPARING_LOST: readonly ErrorCode[] = ['ERR_CHECK_FAILED', 'ERR_CHECK_TIMEOUT', 'ERR_BUNDLE_FAILED'];
/** More has come than there is room for, because what was ended has yet to come back. */
const BUSY: readonly ErrorCode[] = ['ERR_EXECUTE_BUSY'];

/** What any program may meet while processes are ended. */
export const CHAOS_CODES: readonly string[] = [...PREPARING_LOST, ...BUSY];
/** What the call of a tool may meet while upstream servers are ended. */
export const UPSTREAM_CODES: readonly string[] = [
  'ERR_UPSTREAM_CLOSED',
  'ERR_UPSTREAM_UNAVAILABLE',
  'ERR_UPSTREAM_PROTOCOL',
  'ERR_UPSTREAM_TIMEOUT',
] satisfies readonly ErrorCode[];
