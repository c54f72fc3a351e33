/** A page of WebAssembly linear memory. */
export const PAGE_BYTES = 65_536;

/** Pages of the largest memory that a guest can have: 256 MiB. */
export const MAX_PAGES = 4096;

/** What memories are compared in: small enough to copy little, large enough that the calls cost little. */
export const CHUNK_BYTES = 16_384;

/** A chunk of zeros. Comparing with it reads half as much memory as comparing with zeros of an image. */
export const ZERO_CHUNK: Buffer = Buffer.alloc(CHUNK_BYTES);

/** The same bytes as a Buffer, whose `compare` and `copy` are native. No copy is made. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
