/** One run of the soak: what is asked, and what has to come back. */
export interface SoakRun {
  readonly kind: string;
  readonly arguments: Record<string, unknown>;
  /** The result as JSON text, or the code of the error. */
  readonly expected: string;
}

const COUNT = 'import { getState, setState } from "ampoule"; setState("n", (getState().n ?? 0) + 1); return getState().n > 0;';
const TWO_CALLS = `import { echo } from "servers/one"; import { echo as other } from "servers/web";
const [a, b] = await Promise.all([echo({ value: input.a }), other({ value: input.a + 1 })]);
return [a.value, b.value];`;
const SLEEP = `import { sleep } from "ampoule";
const held = Array.from({ length: 500 }, (_, n) => "held " + (n + (input as number)));
await sleep(20);
return Number(held[0]?.slice(5));`;
const WORK = `const words = Array.from({ length: 200 }, (_, n) => "word " + ((n * 7919 + input) % 13));
const counts = new Map<string, number>();
for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
return [...counts.values()].reduce((sum, count) => sum + count, 0);`;

/** Twenty runs as they come again and again; every one is of the same mix, so that the first thousand can be compared with the last. */
const CYCLE: readonly ((number: number) => SoakRun)[] = [
  known,
  calls,
  fresh,
  known,
  work,
  failing('throws', 'throw new Error("on purpose");', 'ERR_EXECUTE_THROWN'),
  known,
  calls,
  freshCalls,
  known,
  session,
  work,
  asleep,
  calls,
  failing('never settles', 'await new Promise(() => {});', 'ERR_EXECUTE_NEVER_SETTLES'),
  fresh,
  known,
  bundled,
  failing('wrong types', 'const n: number = "text"; return n;', 'ERR_CHECK_TYPES'),
  large,
];
const SPREAD = 7;

/** The run of this number. */
export function soakRun(number: number): SoakRun {
  // Neighbours run at the same time: they should not always be the same ones.
  const make = CYCLE[(number * SPREAD) % CYCLE.length];
  if (!make) throw new RangeError(`no run ${number}`);
  return make(number);
}

function known(number: number): SoakRun {
  return { kind: 'known program', arguments: { code: 'return input * 2 + 1;', input: number }, expected: JSON.stringify(number * 2 + 1) };
}

function fresh(number: number): SoakRun {
  return { kind: 'new program', arguments: { code: `return ${number} + input;`, input: 1 }, expected: JSON.stringify(number + 1) };
}

function calls(number: number): SoakRun {
  return { kind: 'tool calls', arguments: { code: TWO_CALLS, input: { a: number } }, expected: JSON.stringify([number, number + 1]) };
}

function freshCalls(number: number): SoakRun {
  return { ...calls(number), kind: 'new program with tool calls', arguments: { code: `${TWO_CALLS} // ${number}`, input: { a: number } } };
}

function work(number: number): SoakRun {
  return { kind: 'work', arguments: { code: WORK, input: number }, expected: '200' };
}

/** Long enough to be put away and woken. */
function asleep(number: number): SoakRun {
  return { kind: 'put away', arguments: { code: SLEEP, input: number }, expected: JSON.stringify(number) };
}

function session(): SoakRun {
  return { kind: 'session', arguments: { code: COUNT, session: 'new' }, expected: 'true' };
}

function bundled(number: number): SoakRun {
  return {
    kind: 'bundled',
    arguments: { code: 'enum Size { Small, Large } return Size[input as number];', input: number % 2 },
    expected: number % 2 === 0 ? '"Small"' : '"Large"',
  };
}

/** More than an answer holds: the whole is kept in a file. */
function large(number: number): SoakRun {
  const code = 'return Array.from({ length: 15000 }, (_, n) => (input as number) + n);';
  return { kind: 'large result', arguments: { code, input: number }, expected: 'kept' };
}

function failing(kind: string, code: string, expected: string): () => SoakRun {
  return () => ({ kind, arguments: { code }, expected });
}
