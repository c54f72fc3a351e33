import { expect, test } from 'vitest';
import { GuestMemory } from '../../../src/engine/abi/guest-memory.ts';

/** A memory whose allocator hands out one place after the other, and grows it when asked to. */
function guestMemory(pages = 1, growBy = 0): { guest: GuestMemory; memory: WebAssembly.Memory } {
  const memory = new WebAssembly.Memory({ initial: pages });
  let next = 16;
  const realloc = (_old: number, _oldSize: number, align: number, size: number): number => {
    if (growBy > 0) memory.grow(growBy);
    const at = Math.ceil(next / align) * align;
    next = at + size;
    return at;
  };
  return { guest: new GuestMemory(memory, realloc), memory };
}

test.each(['', 'plain', 'Zürich 日本 🍀', 'nul\0inside', '\u{10ffff}', 'x'.repeat(50_000)])(
  'a string comes back as it was written: %j',
  (text) => {
    const { guest } = guestMemory();
    const [pointer, bytes] = guest.writeString(text);
    expect(bytes).toBe(Buffer.byteLength(text));
    expect(guest.readString(pointer, bytes)).toBe(text);
  },
);

test('a lone surrogate becomes the replacement character, as UTF-8 has none', () => {
  const { guest } = guestMemory();
  expect(guest.readString(...guest.writeString('a\ud800b'))).toBe('a\ufffdb');
});

test('a list of strings is read by pointer and length of each', () => {
  const { guest } = guestMemory();
  const texts = ['one', '', 'drei 3'];
  const pairs = guest.writeWords(texts.flatMap((text) => guest.writeString(text)));
  expect(guest.readStrings(pairs, texts.length, 3)).toEqual(texts);
  expect(() => guest.readStrings(pairs, 4, 3)).toThrow('a list of 4 strings, where at most 3');
  expect(() => guest.readStrings(pairs, -1, 3)).toThrow('a list of 4294967295 strings');
});

test('memory that grows while something is allocated is written where it is afterwards', () => {
  const { guest, memory } = guestMemory(1, 1);
  const [pointer, bytes] = guest.writeString('after growth');
  expect(memory.buffer.byteLength).toBe(2 * 65_536);
  expect(Buffer.from(memory.buffer, pointer, bytes).toString()).toBe('after growth');
});

test('an allocation outside of memory is refused before anything is written', () => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const guest = new GuestMemory(memory, () => 65_530);
  expect(() => guest.writeString('longer than six bytes')).toThrow(RangeError);
  expect(() => guest.writeBytes(new Uint8Array(7))).toThrow(RangeError);
  expect(new Uint8Array(memory.buffer).every((byte) => byte === 0)).toBe(true);
});

test('a string that reaches beyond the end of memory is cut there', () => {
  const { guest } = guestMemory();
  expect(guest.readString(65_530, 1_000).length).toBe(6);
});
