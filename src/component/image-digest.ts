import { createHash } from 'blake3';
import type { Image } from './image.ts';
import { CHUNK_BYTES } from './memory-bytes.ts';

// Loads its own code with the first hasher, which a confined thread may not do any more.
createHash().dispose();

const known = new WeakMap<Image, Buffer>();

/**
 * Blake3 of what an image has beside the engine's: its size, and place and content of each chunk of its own. With the engine's hash, which a program's
 * key covers, it stands for all of the image. Worked out once for each image.
 */
export function imageDigest(image: Image): Buffer {
  const digest = known.get(image) ?? digestOf(image);
  known.set(image, digest);
  return digest;
}

function digestOf({ pages, sources, offsets, own }: Image): Buffer {
  const hasher = createHash();
  const place = Buffer.alloc(4);
  const add = (number: number): void => {
    place.writeUInt32LE(number);
    hasher.update(place);
  };
  add(pages);
  for (const [chunk, source] of sources.entries()) {
    if (source !== own) continue;
    const at = offsets[chunk] ?? 0;
    add(chunk);
    hasher.update(source.subarray(at, at + CHUNK_BYTES));
  }
  return Buffer.from(hasher.digest());
}
