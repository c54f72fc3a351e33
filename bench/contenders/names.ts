const OURS = 'ampoule';

/** A program whose image is there. */
export const SEEN = `${OURS} (seen before)`;
/** A program whose image has to be made. */
export const NEVER_SEEN = `${OURS} (never seen)`;

/** The engine that is not the suite's. */
export function otherEngineName(kind: string): string {
  return `${OURS} on ${kind}`;
}

/** Whether a contender is one of our own. */
export function isOurs(name: string): boolean {
  return name.startsWith(OURS);
}
