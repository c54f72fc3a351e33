import { LEARNED_BOUNDS } from './bounds.ts';

export const PRIMITIVES = ['string', 'number', 'boolean', 'null'] as const;
export type Primitive = (typeof PRIMITIVES)[number];

export interface Property {
  readonly name: string;
  readonly shape: Shape;
  /** Set when there were objects without it. */
  readonly optional?: true;
}

/**
 * The shape of JSON values: what kinds were seen at a place, never which values. Shapes are settled and canonical, so that the same
 * knowledge is the same text. {@link mergeShapes} makes them a semilattice: it is commutative, associative and idempotent.
 */
export interface Shape {
  /** Past a bound: nothing else is known. */
  readonly anything?: true;
  /** In the order of {@link PRIMITIVES}. */
  readonly primitives?: readonly Primitive[];
  /** Arrays were seen, with such items; with {@link NOTHING} only empty ones. */
  readonly items?: Shape;
  /** Objects with names for keys were seen. Sorted by name. */
  readonly properties?: readonly Property[];
  /** Objects with data for keys were seen; never beside `properties`. */
  readonly values?: Shape;
}

export const NOTHING: Shape = {};
export const ANYTHING: Shape = { anything: true };

/** The shape of everything that either shape is of. */
export function mergeShapes(a: Shape, b: Shape): Shape {
  if (a === b || b === NOTHING) return a;
  if (a === NOTHING) return b;
  if (a.anything || b.anything) return ANYTHING;
  const primitives = mergePrimitives(a.primitives, b.primitives);
  const items = a.items && b.items ? mergeShapes(a.items, b.items) : (a.items ?? b.items);
  const { properties, values } = mergeObjects(a, b);
  // Most answers have no news: then nothing is made anew.
  if (primitives === a.primitives && items === a.items && properties === a.properties && values === a.values) return a;
  return { ...(primitives && { primitives }), ...(items && { items }), ...(properties && { properties }), ...(values && { values }) };
}

/** The shape of everything that any of the shapes is of. */
export function mergeAll(shapes: readonly Shape[]): Shape {
  return shapes.reduce(mergeShapes, NOTHING);
}

/** An object's part of a shape: properties, or values when there are more properties than an object has. */
export function settleObject(properties: readonly Property[]): Shape {
  const optional = properties.filter((property) => property.optional).length;
  if (properties.length <= LEARNED_BOUNDS.properties && optional <= LEARNED_BOUNDS.optionalProperties) return { properties };
  return { values: mergeAll(properties.map(({ shape }) => shape)) };
}

/** Whether two shapes are the same. */
export function isSameShape(a: Shape, b: Shape): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

/** The shape with nothing known below so many levels. */
export function cutShape(shape: Shape, levels: number): Shape {
  const { primitives, items, properties, values } = shape;
  if (shape.anything || (levels <= 0 && (items ?? properties ?? values) !== undefined)) return ANYTHING;
  return {
    ...(primitives && { primitives }),
    ...(items && { items: cutShape(items, levels - 1) }),
    ...(properties && { properties: properties.map((property) => ({ ...property, shape: cutShape(property.shape, levels - 1) })) }),
    ...(values && { values: cutShape(values, levels - 1) }),
  };
}

function mergePrimitives(a: Shape['primitives'], b: Shape['primitives']): Shape['primitives'] {
  if (!a || !b) return a ?? b;
  return b.every((name) => a.includes(name)) ? a : PRIMITIVES.filter((name) => a.includes(name) || b.includes(name));
}

function mergeObjects(a: Shape, b: Shape): Pick<Shape, 'properties' | 'values'> {
  if (a.values || b.values) return { values: mergeAll([a, b].flatMap(partsOf)) };
  if (!b.properties) return a;
  if (!a.properties) return b;
  const properties = mergeProperties(a.properties, b.properties);
  return isSameList(properties, a.properties) ? a : settleObject(properties);
}

function partsOf({ values, properties = [] }: Shape): Shape[] {
  return values ? [values] : properties.map(({ shape }) => shape);
}

/** Both are sorted, and so is what comes out. */
function mergeProperties(a: readonly Property[], b: readonly Property[]): Property[] {
  const merged: Property[] = [];
  let [left, right] = [0, 0];
  while (left < a.length || right < b.length) {
    const [one, other] = [a[left], b[right]];
    if (one && other && one.name === other.name) {
      merged.push(mergeProperty(one, other));
      left++;
      right++;
    } else if (one && (!other || one.name < other.name)) {
      merged.push(one.optional ? one : { ...one, optional: true });
      left++;
    } else if (other) {
      merged.push(other.optional ? other : { ...other, optional: true });
      right++;
    }
  }
  return merged;
}

function mergeProperty(a: Property, b: Property): Property {
  const shape = mergeShapes(a.shape, b.shape);
  const optional = a.optional ?? b.optional;
  if (shape === a.shape && optional === a.optional) return a;
  return { name: a.name, shape, ...(optional && { optional }) };
}

function isSameList(a: readonly Property[], b: readonly Property[]): boolean {
  return a.length === b.length && a.every((property, at) => property === b[at]);
}
