import * as p from './primordials.ts';

const SEED_BYTES = 32;
const BLOCK_BYTES = 64;

/** ChaCha20 in counter mode (RFC 8439): key from the run's seed, nonce 0. All randomness of a run comes from this one stream. */
const state = new p.NativeUint32Array(16);
const block = new p.NativeUint32Array(16);
const bytes = new p.NativeUint8Array(block.buffer);
let used = BLOCK_BYTES;

let pendingSeed = '';

/** Most programs draw no randomness, so that the key is made at the first draw. @param seed 64 hexadecimal digits */
export function seedStream(seed: string): void {
  pendingSeed = seed;
}

function takeSeed(seed: string): void {
  pendingSeed = '';
  state[0] = 0x61707865;
  state[1] = 0x3320646e;
  state[2] = 0x79622d32;
  state[3] = 0x6b206574;
  for (let i = 0; i < SEED_BYTES; i += 4) {
    let word = 0;
    for (let b = 0; b < 4; b++) word |= hexByte(seed, i + b) << (8 * b);
    state[4 + i / 4] = word;
  }
  for (let i = 12; i < 16; i++) state[i] = 0;
  used = BLOCK_BYTES;
}

function hexByte(seed: string, index: number): number {
  return (hexDigit(seed, index * 2) << 4) | hexDigit(seed, index * 2 + 1);
}

function hexDigit(seed: string, index: number): number {
  const unit = p.charCodeAt(seed, index);
  if (unit >= 0x30 && unit <= 0x39) return unit - 0x30;
  const letter = unit | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : 0;
}

function quarter(a: number, b: number, c: number, d: number): void {
  const x = block as unknown as number[];
  x[a] = x[a] + x[b];
  x[d] = rotate(x[d] ^ x[a], 16);
  x[c] = x[c] + x[d];
  x[b] = rotate(x[b] ^ x[c], 12);
  x[a] = x[a] + x[b];
  x[d] = rotate(x[d] ^ x[a], 8);
  x[c] = x[c] + x[d];
  x[b] = rotate(x[b] ^ x[c], 7);
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}

function nextBlock(): void {
  if (pendingSeed !== '') takeSeed(pendingSeed);
  for (let i = 0; i < 16; i++) block[i] = state[i];
  for (let round = 0; round < 10; round++) {
    quarter(0, 4, 8, 12);
    quarter(1, 5, 9, 13);
    quarter(2, 6, 10, 14);
    quarter(3, 7, 11, 15);
    quarter(0, 5, 10, 15);
    quarter(1, 6, 11, 12);
    quarter(2, 7, 8, 13);
    quarter(3, 4, 9, 14);
  }
  for (let i = 0; i < 16; i++) block[i] = block[i] + state[i];
  state[12] = state[12] + 1;
  used = 0;
}

/** The next byte of the stream. */
export function nextByte(): number {
  if (used >= BLOCK_BYTES) nextBlock();
  return bytes[used++];
}
