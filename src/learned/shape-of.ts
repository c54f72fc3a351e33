import { isPlainKey } from '../plain-key.ts';
import { LEARNED_BOUNDS } from './bounds.ts';
import { ANYTHING, mergeAll, mergeShapes, NOTHING, settleObject, type Property, type Shape } from './shape.ts';

/** So many values of one kind under different keys are entries of a map. */
const MAP_ENTRIES = 16;
/** So many objects that look the same under different keys are entries of a map. */
const MAP_OBJECTS = 3;

const BY_TYPE = {
  string: { primitives: ['string'] },
  number: { primitives: ['number'] },
  boolean: { primitives: ['boolean'] },
} as const satisfies Record<string, Shape>;
const NULL: Shape = { primitives: ['null'] };

/**
 * The shape of an answer; undefined when there is too much in it to look at.
 * @param text JSON text
 */
export function shapeOfText(text: string): Shape | undefined {
  if (text.length > LEARNED_BOUNDS.answerText) return undefined;
  return shapeOf(JSON.parse(text));
}

/** The shape of a JSON value; undefined when there is too much in it to look at. */
export function shapeOf(value: unknown): Shape | undefined {
  const looking: Looking = { left: LEARNED_BOUNDS.answerValues, plain: new Map() };
  const shape = look(value, LEARNED_BOUNDS.depth, looking);
  return looking.left < 0 ? undefined : shape;
}

interface Looking {
  /** Values that may still be looked at. */
  left: number;
  /** Of the keys so far: the rows of a table all have the same ones. */
  readonly plain: Map<string, boolean>;
}

function look(value: unknown, levels: number, looking: Looking): Shape {
  if (--looking.left < 0) return ANYTHING;
  if (value === null) return NULL;
  if (typeof value !== 'object') return BY_TYPE[typeof value as keyof typeof BY_TYPE];
  if (levels <= 0) return ANYTHING;
  if (!Array.isArray(value)) return lookAtObject(value, levels, looking);
  let items = NOTHING;
  for (const item of value) {
    if (looking.left < 0) return ANYTHING;
    items = mergeShapes(items, look(item, levels - 1, looking));
  }
  return { items };
}

function lookAtObject(value: object, levels: number, looking: Looking): Shape {
  const properties: Property[] = [];
  let isMap = false;
  for (const [name, part] of Object.entries(value)) {
    if (looking.left < 0) return ANYTHING;
    isMap ||= !isPlain(name, looking.plain);
    properties.push({ name, shape: look(part, levels - 1, looking) });
  }
  if (isMap || areEntries(properties)) return { values: mergeAll(properties.map(({ shape }) => shape)) };
  return settleObject(properties.sort((a, b) => (a.name < b.name ? -1 : 1)));
}

function isPlain(name: string, known: Map<string, boolean>): boolean {
  let plain = known.get(name);
  if (plain === undefined) known.set(name, (plain = isPlainKey(name)));
  return plain;
}

/** Many values of one kind: a map whose keys are words, such as the names of people. */
function areEntries(properties: readonly Property[]): boolean {
  const [first] = properties;
  if (first === undefined || properties.length < MAP_OBJECTS) return false;
  if (properties.every(({ shape }) => shape.items !== undefined)) return areAlike(properties.map(({ shape }) => shape.items ?? NOTHING));
  if (areAlike(properties.map(({ shape }) => shape))) return true;
  const kind = JSON.stringify(first.shape);
  return properties.length >= MAP_ENTRIES && properties.every(({ shape }) => JSON.stringify(shape) === kind);
}

/** Objects of which at least half of all properties are in every one. */
function areAlike(shapes: readonly Shape[]): boolean {
  const all = new Map<string, number>();
  for (const { properties = [] } of shapes) {
    if (properties.length === 0) return false;
    for (const { name } of properties) all.set(name, (all.get(name) ?? 0) + 1);
  }
  return [...all.values()].filter((times) => times === shapes.length).length * 2 >= all.size;
}
