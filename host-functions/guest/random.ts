import { nextByte, seedStream } from './chacha.ts';
import * as p from './primordials.ts';

const MAX_REQUEST = 65_536;

/** State of `Math.random`: a program that simulates draws millions, for which a stream that nobody can predict is far too slow. */
let s0 = 0;
let s1 = 0;
let s2 = 0;
let s3 = 0;
let isDrawn = false;

/** Begins the randomness of a run. @param seed 64 hexadecimal digits */
export function seedRandom(seed: string): void {
  seedStream(seed);
  isDrawn = false;
}

/** 32 random bits: xoshiro128** (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2021). */
function nextWord(): number {
  const fifth = s1 + (s1 << 2);
  const turned = (fifth << 7) | (fifth >>> 25);
  const shifted = s1 << 9;
  s2 ^= s0;
  s3 ^= s1;
  s1 ^= s2;
  s0 ^= s3;
  s2 ^= shifted;
  s3 = (s3 << 11) | (s3 >>> 21);
  return (turned + (turned << 3)) >>> 0;
}

function drawState(): void {
  isDrawn = true;
  s0 = streamWord();
  s1 = streamWord();
  s2 = streamWord();
  s3 = streamWord();
}

function streamWord(): number {
  return nextByte() | (nextByte() << 8) | (nextByte() << 16) | (nextByte() << 24);
}

/** 53 random bits as a fraction in [0, 1), as Math.random gives them. */
function random(): number {
  if (!isDrawn) drawState();
  return ((nextWord() >>> 11) * 4_294_967_296 + nextWord()) / 9_007_199_254_740_992;
}

function getRandomValues(target: unknown): unknown {
  const tag = p.typedArrayTag(target);
  if (typeof tag !== 'string' || p.indexOf(tag, 'Float') === 0) {
    throw new p.NativeTypeError('crypto.getRandomValues: not an integer typed array');
  }
  const view = viewBytes(target);
  if (view.length > MAX_REQUEST) throw new p.NativeRangeError(`crypto.getRandomValues: more than ${MAX_REQUEST} bytes at once`);
  for (let i = 0; i < view.length; i++) view[i] = nextByte();
  return target;
}

const typedArray = p.getPrototypeOf(p.NativeUint8Array.prototype) as object;
const bufferOf = p.uncurry(p.getOwnPropertyDescriptor(typedArray, 'buffer')?.get as () => ArrayBuffer);
const offsetOf = p.uncurry(p.getOwnPropertyDescriptor(typedArray, 'byteOffset')?.get as () => number);
const byteLengthOf = p.uncurry(p.getOwnPropertyDescriptor(typedArray, 'byteLength')?.get as () => number);

function viewBytes(target: unknown): Uint8Array {
  return new p.NativeUint8Array(bufferOf(target), offsetOf(target), byteLengthOf(target));
}

function randomUUID(): string {
  let text = '';
  for (let i = 0; i < 16; i++) {
    let byte = nextByte();
    if (i === 6) byte = (byte & 0x0f) | 0x40;
    if (i === 8) byte = (byte & 0x3f) | 0x80;
    if (i === 4 || i === 6 || i === 8 || i === 10) text += '-';
    text += p.padStart(p.numberToString(byte, 16), 2, '0');
  }
  return text;
}

/** Puts `Math.random` on the seeded stream. @returns the global `crypto` */
export function installRandom(): object {
  p.nameMembers({ random });
  p.defineProperty(Math, 'random', { value: random, writable: true, configurable: true, enumerable: false });
  return p.nameMembers({ getRandomValues, randomUUID });
}
