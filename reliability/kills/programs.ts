import type { Random } from '../random.ts';
import { UPSTREAM_CODES } from '../chaos/codes.ts';

/** A program of the kill test. What it gives back follows from its key alone, but for calls that something has interrupted. */
export interface KillProgram {
  readonly key: string;
  readonly code: string;
  readonly input: unknown;
  /** Keys of the effects that it makes when nothing interrupts it, each at most once whatever happens. */
  readonly effects: readonly string[];
  /** It counts up in a session: each key once. */
  readonly counts: boolean;
  /** It would go on for longer than anybody waits: only a cancel ends it. */
  readonly isEndless: boolean;
  /** None of its effects may be made. */
  readonly isDry: boolean;
  /** Why the result cannot be right; undefined when it is. */
  judge(result: unknown): string | undefined;
}

/** What a program says of a call of which nobody knows whether it was made. */
export const INTERRUPTED = 'ERR_CALL_INTERRUPTED';
/** And of one that a person has refused. */
export const REFUSED = 'ERR_CALL_APPROVAL';
const CALL_ENDINGS: ReadonlySet<unknown> = new Set(['made', INTERRUPTED, REFUSED, ...UPSTREAM_CODES]);
/** Longest sleep of a program, in milliseconds: some runs have to be put away, and all have to end. */
const LONGEST_SLEEP_MS = 6_000;
const MiB = 1024 * 1024;

type Make = (key: string, random: Random) => KillProgram;

/** `made`, or the code that the program caught. */
const ATTEMPT = 'const attempt = (call: Promise<unknown>) => call.then(() => "made", (error: { code: string }) => error.code);';
/** The value of a call that changes nothing, or the code that the program caught. */
const READ = `const read = (call: Promise<unknown>): Promise<unknown> =>
  call.then((answer) => (answer as { value: unknown }).value, (error: { code: string }) => error.code);`;

const compute: Make = (key, random) => {
  const [seed, rounds] = [random.below(1_000_000), 1_000 + random.below(50_000)];
  const code = `let x = input.seed; for (let i = 0; i < input.rounds; i++) x = (x * 48271) % 2147483647; return { key: input.key, x };`;
  let x = seed;
  for (let round = 0; round < rounds; round++) x = (x * 48_271) % 2_147_483_647;
  return program(key, code, { seed, rounds }, { expected: { x } });
};

const sleeper: Make = (key, random) => {
  const ms = random.below(LONGEST_SLEEP_MS);
  const code = `import { sleep } from "ampoule";
const before = crypto.randomUUID(); const began = Date.now();
const held = Array.from({ length: 200 }, (_, i) => input.key + i);
await sleep(input.ms);
return { key: input.key, slept: Date.now() - began >= input.ms, same: before.length, held: held.length };`;
  return program(key, code, { ms }, { expected: { slept: true, same: 36, held: 200 } });
};

const chain: Make = (key, random) => {
  const ids = names(key, 1 + random.below(6));
  const code = `import { effect } from "servers/web"; import { sleep } from "ampoule";
${ATTEMPT}
const said = [];
for (const id of input.ids) { said.push(await attempt(effect({ id }))); await sleep(input.pause); }
return { key: input.key, said };`;
  return program(key, code, { ids, pause: random.below(800) }, { effects: ids });
};

const together: Make = (key, random) => {
  const ids = names(key, 2 + random.below(4));
  const code = `import { late, slow } from "servers/web"; import { sleep } from "ampoule";
${ATTEMPT}
${READ}
const reads = Promise.all(input.ids.map((value: string) => read(slow({ ms: input.ms, value }))));
const said = await Promise.all(input.ids.map((id: string) => attempt(late({ id, ms: input.ms }))));
await sleep(input.ms);
return { key: input.key, said, read: await reads };`;
  return program(key, code, { ids, ms: random.below(3_000) }, { effects: ids, reads: ids });
};

const ticking: Make = (key, random) => {
  const count = 3 + random.below(10);
  const code = `import { effect } from "servers/web";
${ATTEMPT}
const ticks = await new Promise((resolve) => {
  let n = 0;
  const timer = setInterval(() => { if (++n === input.count) { clearInterval(timer); resolve(n); } }, input.ms);
});
return { key: input.key, ticks, said: [await attempt(effect({ id: input.ids[0] }))] };`;
  const ids = names(key, 1);
  return program(key, code, { count, ms: 50 + random.below(400), ids }, { effects: ids, expected: { ticks: count } });
};

const asking: Make = (key) => {
  const ids = names(key, 1);
  const code = `import { danger } from "servers/web";
${ATTEMPT}
return { key: input.key, said: [await attempt(danger({ id: input.ids[0] }))] };`;
  return program(key, code, { ids }, { effects: ids });
};

/** Leaves its name in the session that it is given: in a list with others, where they may get in each other's way, or under a key of its own. */
const counting: Make = (key, random) => {
  const code = `import { getState, setState, sleep } from "ampoule"; import { effect } from "servers/web";
${ATTEMPT}
const names = (getState().names ?? []) as string[];
const said = input.ids.length > 0 ? [await attempt(effect({ id: input.ids[0] }))] : [];
if (input.ms > 0) await sleep(input.ms);
if (input.isShared) setState("names", [...names, input.key]);
else setState(input.key, Number(getState()[input.key] ?? 0) + 1);
return { key: input.key, said };`;
  const ids = random.chance(0.4) ? names(key, 1) : [];
  const input = { ids, ms: random.chance(0.6) ? random.below(1_200) : 0, isShared: random.chance(0.4) };
  return { ...program(key, code, input, { effects: ids }), counts: true };
};

/** Answers of megabytes, of which it holds one while it sleeps. */
const largeAnswers: Make = (key, random) => {
  const sizes = [MiB + random.below(3 * MiB), MiB + random.below(3 * MiB)];
  const code = `import { large } from "servers/web"; import { sleep } from "ampoule";
${READ}
const first = read(large({ bytes: input.sizes[0] }));
const second = read(large({ bytes: input.sizes[1] }));
const held = String(await first); await sleep(input.ms);
const read2 = String(await second);
return { key: input.key, read: [held, read2].map((text) => text.startsWith("ERR_") ? text : text.length) };`;
  return program(key, code, { sizes, ms: random.below(2_000) }, { reads: sizes });
};

/** Memory that cannot be made smaller, near and over what may be put away. */
const heavy: Make = (key, random) => {
  const code = `import { sleep } from "ampoule";
const held = new Uint32Array(input.words); let x = input.words;
for (let i = 0; i < held.length; i++) { x ^= x << 13; x ^= x >>> 17; x ^= x << 5; held[i] = x; }
const sum = () => { let s = 0; for (const one of held) s = (s + one) | 0; return s; };
const before = sum(); await sleep(input.ms); await sleep(input.ms);
return { key: input.key, same: before === sum() };`;
  return program(key, code, { words: 150_000 + random.below(500_000), ms: random.below(1_500) }, { expected: { same: true } });
};

const endless: Make = (key) => {
  const code = 'import { sleep } from "ampoule"; await sleep(80_000_000); return { key: input.key };';
  return { ...program(key, code, {}, {}), isEndless: true };
};

const dry: Make = (key) => {
  const ids = names(key, 2);
  const code = `import { effect, danger } from "servers/web"; import { sleep } from "ampoule";
${ATTEMPT}
await attempt(effect({ id: input.ids[0] })); await sleep(300); await attempt(danger({ id: input.ids[1] }));
return { key: input.key };`;
  return { ...program(key, code, { ids }, { effects: ids }), isDry: true, judge: () => undefined };
};

const KINDS: readonly Make[] = [
  [compute, sleeper, chain, chain, chain, together, together, together, ticking, ticking, asking, asking],
  [counting, counting, counting, largeAnswers, heavy, endless, dry],
].flat();

/** A program of any kind. */
export function anyProgram(key: string, random: Random): KillProgram {
  return random.pick(KINDS)(key, random);
}

function names(key: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${key}.${index}`);
}

interface Expecting {
  readonly effects?: readonly string[];
  /** What its calls that change nothing answer. */
  readonly reads?: readonly unknown[];
  readonly expected?: Readonly<Record<string, unknown>>;
}

function program(key: string, code: string, input: object, { effects = [], reads = [], expected = {} }: Expecting): KillProgram {
  return {
    key,
    code,
    input: { key, ...input },
    effects,
    counts: false,
    isEndless: false,
    isDry: false,
    judge: (result) => judge((result ?? {}) as Record<string, unknown>, { key, ...expected }, effects.length, reads),
  };
}

function judge(
  found: Readonly<Record<string, unknown>>,
  expected: Readonly<Record<string, unknown>>,
  calls: number,
  reads: readonly unknown[],
): string | undefined {
  for (const [name, value] of Object.entries(expected)) {
    const [is, has] = [JSON.stringify(value), JSON.stringify(found[name])];
    if (is !== has) return `${name} is ${has}, not ${is}`;
  }
  const said = (found['said'] ?? []) as unknown[];
  if (said.length !== calls) return `it tells of ${said.length} calls, not of ${calls}`;
  const wrong = said.find((one) => !CALL_ENDINGS.has(one));
  if (wrong !== undefined) return `a call ended with ${JSON.stringify(wrong)}`;
  const read = (found['read'] ?? []) as unknown[];
  const misread = reads.findIndex((value, index) => read[index] !== value && !UPSTREAM_CODES.includes(String(read[index])));
  return misread < 0 ? undefined : `it read ${JSON.stringify(read[misread])}, not ${JSON.stringify(reads[misread])}`;
}
