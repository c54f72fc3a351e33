/** Numbers from a seed, the same on every machine (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const PRELUDE = `
const out = [];
const kept = [];
const state = ampoule.getState();
state.n ??= 0;
const call = async (tag, size = 10) => {
  try {
    const answer = await ampoule.callTool("s", "t" + (tag % 3), { tag, text: "x".repeat(size) });
    out.push([tag, answer.length]);
    return answer;
  } catch (error) {
    console.warn("call", tag, error.name, error.message);
    return null;
  }
};
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
`;

/** The body of a program that does a few random things in which it waits. The same seed gives the same program. */
export function randomProgram(seed: number): string {
  const random = randomFrom(seed);
  const below = (most: number): number => Math.floor(random() * most);
  let tag = 0;
  const calls = (count: number): string => Array.from({ length: count }, () => `call(${++tag}, ${below(600)})`).join(', ');
  const pieces: (() => string)[] = [
    () => `await call(${++tag}, ${below(3_000)});`,
    () => `const a${++tag} = await Promise.all([${calls(2 + below(5))}]); out.push(a${tag}.length);`,
    () => `out.push(await Promise.race([${calls(2)}, sleep(${1 + below(30)}).then(() => "late")]) === "late");`,
    () => `await sleep(${1 + below(60)}); out.push(Date.now() % 100_000, Math.round(performance.now()));`,
    () =>
      `await new Promise((done) => { let n = 0; const i = setInterval(() => { out.push("tick" + n); if (++n === ${2 + below(4)}) { clearInterval(i); done(); } }, ${1 + below(15)}); });`,
    () => `out.push(Math.random(), crypto.randomUUID()); console.log("random", Math.random());`,
    () => `state.n += ${below(100)}; state["k${below(5)}"] = "v".repeat(${below(50)});`,
    () => `try { await call(${++tag}); throw new TypeError("no ${tag}"); } catch (error) { out.push(error.message); }`,
    () => `kept.push("${'ab'.repeat(1 + below(4))}".repeat(${below(150_000)})); out.push(kept.at(-1).length);`,
    () => `kept.push(new Uint8Array(${below(300_000)}).fill(${below(256)})); kept.splice(0, ${below(2)});`,
    () => `void call(${++tag}, ${below(100)}).then(() => console.info("loose ${tag}"));`,
    () => `console.error("line", "${'y'.repeat(below(200))}", { out: out.length });`,
    () => `{ const m = new Map(); for (let i = 0; i < ${below(2_000)}; i++) m.set("k" + (i % 31), { i }); out.push(m.size); }`,
    () => `await Promise.all([(async () => { await sleep(${below(20)}); ${piece(2)} })(), (async () => { ${piece(2)} })()]);`,
    () => `queueMicrotask(() => out.push("micro"));`,
  ];
  let depth = 0;
  const piece = (count: number): string => {
    if (++depth > 3) return '';
    const text = Array.from({ length: count }, () => pieces[below(pieces.length)]?.() ?? '').join('\n');
    depth--;
    return text;
  };
  return `${PRELUDE}${piece(3 + below(5))}\nreturn { out, kept: kept.map((one) => one.length) };`;
}
