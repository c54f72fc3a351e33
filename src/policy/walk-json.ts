/** A list or an object on the way to a leaf, and how far in it the walk is. */
interface Frame {
  readonly container: object;
  /** Undefined for a list. */
  readonly keys: readonly string[] | undefined;
  readonly size: number;
  at: number;
}

/** Where a walk stands. Good only while it stands there. */
export interface Cursor {
  /** The name of the member that the leaf is the value of, or is in a list of. */
  key(): string | undefined;
  /** Such as `$.items[2].name`; names that may be data themselves are not in it. */
  path(): string;
}

/** A text, a number, or (`isKey`) the name of a member. */
export interface JsonLeaf {
  readonly value: string | number;
  readonly isKey: boolean;
  readonly cursor: Cursor;
}

/** Gives every text, number and key of a JSON value. Takes no stack however deep the value is, and no memory for how wide it is. */
export function* jsonLeaves(root: unknown): Generator<JsonLeaf, void> {
  const frames: Frame[] = [];
  const cursor: Cursor = { key: () => keyOf(frames), path: () => pathOf(frames) };
  if (isLeaf(root)) yield { value: root, isKey: false, cursor };
  else if (isContainer(root)) frames.push(frameOf(root));
  for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
    frame.at++;
    if (frame.at >= frame.size) {
      frames.pop();
      continue;
    }
    const key = frame.keys?.[frame.at];
    if (key !== undefined) yield { value: key, isKey: true, cursor };
    const value = (frame.container as Record<string | number, unknown>)[key ?? frame.at];
    if (isLeaf(value)) yield { value, isKey: false, cursor };
    else if (isContainer(value)) frames.push(frameOf(value));
  }
}

function isLeaf(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function frameOf(container: object): Frame {
  const keys = Array.isArray(container) ? undefined : Object.keys(container);
  return { container, keys, size: keys === undefined ? (container as unknown[]).length : keys.length, at: -1 };
}

function keyOf(frames: readonly Frame[]): string | undefined {
  const frame = frames.findLast(({ keys }) => keys !== undefined);
  return frame?.keys?.[frame.at];
}

const PLAIN_KEY = /^[A-Za-z_$][\w$]{0,39}$/;
const MAX_STEPS = 20;

function pathOf(frames: readonly Frame[]): string {
  const steps = frames.slice(0, MAX_STEPS).map(({ keys, at }) => {
    const key = keys?.[at];
    if (key === undefined) return `[${at}]`;
    return PLAIN_KEY.test(key) ? `.${key}` : '[...]';
  });
  return `$${steps.join('')}${frames.length > MAX_STEPS ? '...' : ''}`;
}
