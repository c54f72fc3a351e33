/**
 * A program that uses a little of everything that programs use. It goes the way of a run twice before any user's program does:
 * in the build, so that the JavaScript engine has compiled the guest runtime, and in every executor, so that V8 has compiled
 * the engine. It changes nothing that a later program could see.
 */
export const WARM_UP_PROGRAM = `"use strict";return (async () => {
  class Item { constructor(id) { this.id = id; } get label() { return \`item \${this.id}\`; } }
  const items = Array.from({ length: 20 }, (_, i) => new Item(i)).filter((item) => item.id % 2 === 0);
  const groups = new Map(items.map((item) => [item.label, { ...item, tags: ["a", "b"].join("-") }]));
  const [first, ...rest] = await Promise.all([ampoule.callTool("s", "t", { items }), ampoule.callTool("s", "t")]);
  console.log("warm", { first, size: groups.size }, new Date(0).toISOString());
  try { JSON.parse("{"); } catch (error) { ampoule.log("debug", String(error.stack)); }
  const text = JSON.stringify([...groups.values()].sort((a, b) => b.id - a.id)).replace(/item (\\d+)/g, "$1").split(",");
  return { text: text.slice(0, 3), rest, ids: Object.entries(items[0]), n: text.reduce((sum, part) => sum + part.length, 0) };
})();
//# sourceURL=program.js
`;

/** The second argument of \`start\` for it. */
export const WARM_UP_OPTIONS: string = JSON.stringify({
  now: 0,
  seed: '0'.repeat(64),
  maxResultBytes: 65_536,
  maxStateBytes: 65_536,
  maxLogBytes: 65_536,
  maxToolArgumentBytes: 65_536,
});

/** The numbers of its two calls, which the host gives out, and the answers to them. */
export const WARM_UP_CALLS = [1, 2] as const;
export const WARM_UP_ANSWERS = ['{"ok":{"rows":[1,"two",{"three":null}]}}', '{"ok":null}'] as const;
