import { UPSTREAM_CODES } from './codes.ts';
import { clip, gives, type Maker, type Output, type Task } from './task.ts';

/** Programs with a known right answer. */

const SERVERS = ['one', 'two', 'web'] as const;
const LARGE_ITEMS = 30_000;

export function arithmetic({ random, fresh }: Maker): Task {
  const [a, b] = [random.below(1_000_000), random.below(1_000_000)];
  const isNew = random.chance(0.3);
  const salt = isNew ? fresh() : 0;
  return {
    kind: isNew ? 'new program' : 'known program',
    arguments: { code: `const { a, b } = input as { a: number; b: number };\nreturn a * 3 + b + ${salt};`, input: { a, b } },
    judge: gives(a * 3 + b + salt),
  };
}

/** An enum takes esbuild's way. */
export function bundled({ random, fresh }: Maker): Task {
  const number = random.chance(0.5) ? fresh() : 7;
  return {
    kind: 'bundled',
    arguments: { code: `enum Size { Small = ${number}, Large }\nreturn [Size.Large, Size[${number}]];` },
    judge: gives([number + 1, 'Small']),
  };
}

export function tools({ random, fresh }: Maker): Task {
  const server = random.pick(SERVERS);
  const value = random.below(1_000_000);
  const isSlow = random.chance(0.3);
  const call = isSlow ? `slow({ ms: ${50 + random.below(300)}, value: input })` : 'echo({ value: input })';
  const code = `import * as upstream from "servers/${server}";
try { return { value: (await upstream.${call}).value${random.chance(0.2) ? `, salt: ${fresh()} - ${fresh()}` : ''} }; }
catch (error) { return { code: (error as { code?: string }).code }; }`;
  return { kind: 'tool call', arguments: { code, input: value }, judge: ({ result }) => judgeCall(result, value) };
}

/** Several at once, to both kinds of servers. */
export function manyTools({ random }: Maker): Task {
  const count = 2 + random.below(12);
  const code = `import { echo as one } from "servers/one"; import { echo as web } from "servers/web";
const all = Array.from({ length: input as number }, (_, n) => (n % 2 ? one : web)({ value: n }));
return (await Promise.allSettled(all)).map((one) => one.status === "fulfilled" ? { value: one.value.value } : { code: one.reason.code });`;
  return {
    kind: 'many tool calls',
    arguments: { code, input: count },
    judge({ result }) {
      if (!Array.isArray(result) || result.length !== count) return `not ${count} answers but ${clip(JSON.stringify(result))}`;
      return result.map((one, n) => judgeCall(one, n)).find((found) => found !== undefined);
    },
  };
}

export function large({ random }: Maker): Task {
  const first = random.below(1_000_000);
  return {
    kind: 'large result',
    arguments: { code: `return Array.from({ length: ${LARGE_ITEMS} }, (_, n) => (input as number) + n);`, input: first },
    judge({ result, kept }: Output) {
      if (!Array.isArray(result) || result[0] !== first) return `the preview is ${clip(JSON.stringify(result))}`;
      return kept?.length === 1 && kept[0]?.uri.startsWith('ampoule://results/') ? undefined : 'the whole was not kept';
    },
  };
}

export function chatter({ random }: Maker): Task {
  const lines = random.below(3_000);
  const code =
    'import { log } from "ampoule"; for (let n = 0; n < (input as number); n++) log("info", `{"jsonrpc":"2.0","id":${n}}`); return input;';
  return { kind: 'logs', arguments: { code, input: lines }, judge: gives(lines) };
}

/** Calls a tool with an effect, which must not happen twice whatever becomes of the run. `started` hears of its name, `completed` of those that said yes. */
export function effect({ random, fresh }: Maker, book: { readonly started: Set<string>; readonly completed: Set<string> }): Task {
  const id = `effect-${fresh()}`;
  book.started.add(id);
  const code = `import { effect } from "servers/${random.pick(SERVERS)}";
try { await effect({ id: input }); return "done"; } catch (error) { return { code: (error as { code?: string }).code }; }`;
  return {
    kind: 'effect',
    arguments: { code, input: id },
    judge: ({ result }) => (result === 'done' ? undefined : judgeCall(result, undefined)),
    done: (output) => void (output?.status === 'completed' && output.result === 'done' && book.completed.add(id)),
  };
}

function judgeCall(found: unknown, value: unknown): string | undefined {
  const { code, value: got } = (found ?? {}) as { code?: unknown; value?: unknown };
  if (typeof code === 'string' && UPSTREAM_CODES.includes(code)) return undefined;
  return got === value && value !== undefined
    ? undefined
    : `a call gave ${clip(JSON.stringify(found))} in place of ${clip(JSON.stringify(value))}`;
}
