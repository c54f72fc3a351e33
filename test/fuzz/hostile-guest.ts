import * as fc from 'fast-check';
import type { CompiledEngine } from '../../src/engine/abi/link-engine.ts';
import { HOST_INTERFACE } from '../../src/engine/abi/core-host.ts';
import { buildModule, I32, s, text, u, type Bytes } from '../engine/meter/wasm-builder.ts';

const F64 = 0x7c;
/** Where the texts of a hostile guest begin, after its pairs. */
const TEXTS_AT = 1_024;
const PAIR_BYTES = 8;
const GET = 0x20;

/** The host functions, in the order in which the guest imports them: how many numbers each takes. */
const IMPORTS = [
  ['call-tool', 6, true],
  ['read-file', 3, false],
  ['get-state', 1, false],
  ['log', 4, false],
] as const;

/** What a guest is that keeps to nothing. */
export interface HostileGuest {
  /** In its memory, one after the other. */
  readonly texts: readonly Uint8Array[];
  /** Pointer and length: of a text, or anything. The first ones are the strings of a status. */
  readonly pairs: readonly (readonly [number, number])[];
  /** What `status` gives, call by call. */
  readonly statuses: readonly number[];
  /** What `cabi_realloc` gives, call by call; null: a place that is free. */
  readonly places: readonly (number | null)[];
  readonly calls: readonly { readonly which: number; readonly arguments: readonly number[] }[];
  readonly pages: number;
}

const STATUSES = [
  '{"running":0,"nextTimer":null,"ending":{"status":"completed"}}',
  '{"running":1,"nextTimer":null,"ending":null}',
  '{"running":0,"nextTimer":0,"ending":null}',
  '{"running":0,"nextTimer":1e308,"ending":null}',
  '{"running":0,"nextTimer":null,"ending":{"status":"failed","code":"ERR_EXECUTE_THROWN","name":"E","message":"m","stack":"s"}}',
  '{"running":0,"nextTimer":null,"ending":{"status":"failed","code":"__proto__","name":"E","message":"m","stack":"s"}}',
  '{"running":0,"nextTimer":null,"ending":null,"__proto__":{"x":1}}',
  '{"name":"E","message":"m","stack":"s"}',
];
const word = fc.oneof(
  fc.constantFrom(0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 65_535, 65_536, 65_537, TEXTS_AT, TEXTS_AT + 10),
  fc.nat(2_000),
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
);
const bytes: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc
    .constantFrom(
      ...STATUSES,
      'notes/a.txt',
      '../secret.txt',
      'mount/../secret.txt',
      'mount/./a.txt',
      'mount//a.txt',
      '__proto__',
      'constructor/x',
      'mount/a.txt',
    )
    .map((t) => Buffer.from(t)),
  fc.uint8Array({ maxLength: 60 }),
  fc.string({ unit: 'binary', maxLength: 30 }).map((t) => Buffer.from(t)),
);
const status = fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...STATUSES).map((t) => Buffer.from(t)) }, bytes);
/** Where the lists of strings are. */
const LISTS = [2 * PAIR_BYTES, 5 * PAIR_BYTES];
/** Mostly the place of a real text, so that what lies behind the first check is reached too. */
const pair = fc.oneof(
  { weight: 12, arbitrary: fc.nat(20).map((index) => ['text', index] as const) },
  { weight: 1, arbitrary: fc.tuple(word, word) },
);

export const hostileGuests: fc.Arbitrary<HostileGuest> = fc
  .record({
    texts: fc
      .tuple(status, status, fc.array(bytes, { minLength: 1, maxLength: 8 }))
      .map(([first, second, rest]) => [first, second, ...rest]),
    pairs: fc.array(pair, { minLength: 6, maxLength: 10 }),
    statuses: fc.array(fc.oneof({ weight: 12, arbitrary: fc.constantFrom(...LISTS) }, word), { minLength: 1, maxLength: 6 }),
    places: fc.array(fc.oneof({ weight: 12, arbitrary: fc.constant(null) }, word), { minLength: 1, maxLength: 6 }),
    calls: fc.array(
      fc.record({
        which: fc.nat(IMPORTS.length - 1),
        arguments: fc.array(pair, { minLength: 3, maxLength: 3 }),
      }),
      { maxLength: 8 },
    ),
    pages: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ texts, pairs, calls, ...rest }) => {
    const places = texts.map((_, index) => TEXTS_AT + texts.slice(0, index).reduce((sum, one) => sum + one.length, 0));
    const resolve = (one: readonly [number | 'text', number]): readonly [number, number] => {
      const index = one[1] % texts.length;
      return one[0] === 'text' ? [places[index] ?? 0, texts[index]?.length ?? 0] : [one[0], one[1]];
    };
    const resolved = pairs.map(resolve);
    // A list of strings is a pair as well: where its pairs are, and three of them.
    resolved.splice(2, 1, [0, 3]);
    resolved.splice(5, 1, [3 * PAIR_BYTES, 3]);
    resolved[0] = resolve(['text', 0]);
    resolved[3] = resolve(['text', 1]);
    return {
      ...rest,
      texts,
      pairs: resolved,
      calls: calls.map((call) => ({ which: call.which, arguments: call.arguments.flatMap(resolve) })),
    };
  });

/** The engine that is this guest. It gives up by itself after some calls of its exports: it has no meter. */
export function assembleGuest(guest: HostileGuest): CompiledEngine {
  const module = new WebAssembly.Module(Buffer.from(bytesOf(guest)));
  const imports = IMPORTS.map(([name]) => ({ module: HOST_INTERFACE, name }));
  return { plan: { instances: [{ module: 'guest', imports }], contract: 0 }, modules: new Map([['guest', module]]) };
}

const constant = (value: number): Bytes => [0x41, ...s(value)];

/** One value after the other: by a counter, and the last one for ever. */
function oneAfterTheOther(values: readonly number[], counter: number): Bytes {
  const chosen = values.reduceRight<Bytes>(
    (otherwise, value, at) => [0x23, counter, ...constant(at), 0x4c, 0x04, I32, ...constant(value), 0x05, ...otherwise, 0x0b],
    constant(values.at(-1) ?? 0),
  );
  return [...chosen, 0x23, counter, ...constant(1), 0x6a, 0x24, counter];
}

function bytesOf({ texts, pairs, statuses, places, calls, pages }: HostileGuest): Uint8Array {
  const heap = 40_000;
  const data = Buffer.alloc(TEXTS_AT + texts.reduce((sum, one) => sum + one.length, 0));
  for (const [index, [pointer, length]] of pairs.entries()) {
    data.writeInt32LE(pointer | 0, index * PAIR_BYTES);
    data.writeInt32LE(length | 0, index * PAIR_BYTES + 4);
  }
  data.set(Buffer.concat(texts), TEXTS_AT);
  const called = calls.flatMap(({ which, arguments: values }) => {
    const [, count, gives] = IMPORTS[which] ?? IMPORTS[0];
    return [...values.slice(0, count).flatMap(constant), 0x10, ...u(which), ...(gives ? [0x1a] : [])];
  });
  // Up to so many steps, then a trap: a guest without a meter must not go on for ever.
  const step: Bytes = [0x23, 2, ...constant(1), 0x6a, 0x24, 2, 0x23, 2, ...constant(6), 0x4a, 0x04, 0x40, 0x00, 0x0b];
  const free: Bytes = [0x23, 3, 0x23, 3, GET, 3, 0x6a, 0x24, 3];
  const place = places.map((one) => one ?? heap);
  const realloc = places.every((one) => one === null) ? free : oneAfterTheOther(place, 1);
  const four = [I32, I32, I32, I32];
  const functions = [
    { name: 'load', parameters: [I32, I32], results: [I32], code: [...called, ...constant(statuses[0] ?? 0)] },
    { name: 'cabi_post_load', parameters: [I32], code: [] },
    { name: 'start', parameters: four, code: called },
    { name: 'resume', parameters: [F64, ...four], code: [...step, ...called] },
    { name: 'status', results: [I32], code: oneAfterTheOther(statuses, 0) },
    { name: 'cabi_post_status', parameters: [I32], code: [] },
    { name: 'cabi_realloc', parameters: four, results: [I32], code: realloc },
  ];
  const types = IMPORTS.map(([, count, gives]): Bytes => [
    0x60,
    count,
    ...Array.from({ length: count }, () => I32),
    ...(gives ? [1, I32] : [0]),
  ]);
  return buildModule(
    {
      functions,
      imports: IMPORTS.map(([name], at): Bytes => [...text(HOST_INTERFACE), ...text(name), 0, ...u(functions.length + at)]),
      importedFunctions: IMPORTS.length,
      memories: [[0, pages]],
      globals: [0, 0, 0, heap].map((value): Bytes => [I32, 1, ...constant(value), 0x0b]),
      exports: [[...text('memory'), 2, 0]],
      data: [[0, ...constant(0), 0x0b, ...u(data.length), ...data]],
    },
    types,
  );
}
