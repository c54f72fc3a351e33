/* oxlint-disable typescript/unbound-method -- taken off their owners on purpose, as in primordials.ts */
import * as p from '../primordials.ts';

/** What a view of a buffer is made of. */
interface TypedParts {
  tag: string;
  buffer: object;
  offset: number;
  /** Undefined for a view that grows with its buffer. */
  length: number | undefined;
}

type View = new (buffer: never, offset: number, length?: number) => object;

const VIEWS = p.plain<Record<string, View>>({
  DataView,
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  BigInt64Array,
  BigUint64Array,
  Float16Array: (globalThis as unknown as { Float16Array: View }).Float16Array,
  Float32Array,
  Float64Array,
});
const typed = p.getPrototypeOf(p.NativeUint8Array.prototype) as object;
const getter = (owner: object, key: string): ((self: unknown) => unknown) =>
  p.uncurry(p.getOwnPropertyDescriptor(owner, key)?.get as () => unknown);
const typedBuffer = getter(typed, 'buffer');
const typedOffset = getter(typed, 'byteOffset');
const viewBuffer = getter(DataView.prototype, 'buffer');
const viewOffset = getter(DataView.prototype, 'byteOffset');
const sliceBuffer = p.uncurry(ArrayBuffer.prototype.slice);

const bufferDetached = getter(ArrayBuffer.prototype, 'detached');

export function isDetached(buffer: unknown): boolean {
  return bufferDetached(buffer) === true;
}

export function copyArrayBuffer(buffer: ArrayBuffer): ArrayBuffer {
  return sliceBuffer(buffer, 0);
}

/** The parts of a typed array or DataView, undefined for what is neither. */
export function typedParts(value: object): TypedParts | undefined {
  const tag = p.typedArrayTag(value) as string | undefined;
  if (tag !== undefined) {
    return { tag, buffer: typedBuffer(value) as object, offset: typedOffset(value) as number, length: p.typedArrayLength(value) as number };
  }
  if (!p.isKind(viewBuffer, value)) return undefined;
  const length = p.viewByteLength(value) as number;
  return { tag: 'DataView', buffer: viewBuffer(value) as object, offset: viewOffset(value) as number, length };
}

export function copyTyped({ tag, offset, length }: TypedParts, buffer: ArrayBuffer): object {
  return new VIEWS[tag](buffer as never, offset, length);
}
