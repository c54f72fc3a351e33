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

test('a text that is too long is refused by its length, before a string is made of it', () => {
  const { guest } = guestMemory();
  const [pointer, bytes] = guest.writeString('twelve bytes');
  expect(guest.readBounded(pointer, bytes, 12, 'name')).toBe('twelve bytes');
  expect(() => guest.readBounded(pointer, bytes, 11, 'name')).toThrow('The name of a host function has 12 bytes; at most 11 are allowed.');
  expect(() => guest.readBounded(0, -1, 1_000, 'name')).toThrow('has 4294967295 bytes');
});

test('of several texts a short one is a string, a long one a copy of its bytes, and one that is too long a length', () => {
  const { guest, memory } = guestMemory(8);
  const texts = ['short', 'é'.repeat(50_000), 'x'.repeat(100)];
  const list = guest.writeWords(texts.flatMap((text) => guest.writeString(text)));
  const pair = guest.writeWords([list, 3]);
  const [short, long, over] = guest.readBoundedTextsAt(pair, [10, 100_000, 99]);
  expect([short, over]).toEqual(['short', { bytes: 100 }]);
  expect(Buffer.from(long as Uint8Array).toString()).toBe(texts[1]);
  expect((long as Uint8Array).buffer).not.toBe(memory.buffer);
  expect(() => guest.readBoundedTextsAt(pair, [10, 10])).toThrow('a list of 3 strings, where at most 2');
});

test('long bytes that are no UTF-8 become UTF-8', () => {
  const { guest } = guestMemory(4);
  const [pointer, bytes] = guest.writeBytes(new Uint8Array(70_000).fill(0xff));
  const pair = guest.writeWords([guest.writeWords([pointer, bytes]), 1]);
  const [text] = guest.readBoundedTextsAt(pair, [100_000]);
  expect(Buffer.from(text as Uint8Array).toString()).toBe('\ufffd'.repeat(70_000));
});
