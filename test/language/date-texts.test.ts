import { expect, test } from 'vitest';
import { openOurs, runOnNode } from './differential.ts';

const ours = openOurs();

/** Texts of dates in many forms, right ones and wrong ones, and what `Date.parse` makes of them. */
const program = (seed: number): string => `let state = ${seed};
const random = (below) => {
  state = (Math.imul(state, 1103515245) + 12345) >>> 0;
  return Math.floor((state / 4294967296) * below);
};
const pick = (list) => list[random(list.length)];
const pad = (n) => String(n).padStart(2, "0");
const MONTHS = ["Jan", "Feb", "March", "apr", "May", "June", "Jul", "August", "Sept", "Oct", "Nov", "December", "Foo"];
const DAYS = ["Mon", "Tue", "Wednesday", "Thu", "Fri", "Sat", "Sunday", "Xyz"];
const lines = [];
for (let count = 0; count < 1500; count++) {
  const [y, m, d, h, min, s] = [pick([2024, 1999, 1970, 2100, 99, 5, 12024]), random(15), random(34), random(27), random(62), random(62)];
  const zone = pick(["", "Z", "+02:00", "-0530", " GMT", " UTC", "+25:00", "+2", " EST", " (a comment)", "z"]);
  const text = pick([
    () => y + "-" + pad(m) + "-" + pad(d),
    () => y + "-" + pad(m) + "-" + pad(d) + "T" + pad(h) + ":" + pad(min) + ":" + pad(s) + zone,
    () => y + "-" + pad(m) + "-" + pad(d) + "T" + pad(h) + ":" + pad(min) + zone,
    () => y + "-" + pad(m) + "-" + pad(d) + " " + pad(h) + ":" + pad(min) + ":" + pad(s) + zone,
    () => m + "/" + d + "/" + y,
    () => y + "/" + m + "/" + d + " " + h + ":" + min,
    () => pick(MONTHS) + " " + d + ", " + y,
    () => d + " " + pick(MONTHS) + " " + y + " " + pad(h) + ":" + pad(min) + zone,
    () => pick(DAYS) + ", " + pad(d) + " " + pick(MONTHS) + " " + y + " " + pad(h) + ":" + pad(min) + ":" + pad(s) + " GMT",
    () => y + "-" + pad(m),
    () => y + "-" + pad(m) + "-" + pad(d) + "T" + pad(h) + ":" + pad(min) + ":" + pad(s) + "." + random(100000) + zone,
    () => pick(MONTHS) + " " + d + " " + y + " " + h + ":" + pad(min) + " " + pick(["AM", "PM", "am", "a.m."]),
    () => d + "-" + pick(MONTHS) + "-" + y,
    () => d + "." + m + "." + y,
    () => pick(["+", "-"]) + "0" + 12000 + "-" + pad(m) + "-" + pad(d) + "T" + pad(h) + ":00Z",
    () => pick(DAYS) + " " + pick(MONTHS) + " " + pad(d) + " " + y + " " + pad(h) + ":" + pad(min) + ":" + pad(s) + " GMT" + zone,
  ])();
  lines.push(text + " = " + Date.parse(text) + (Object.is(Date.parse(text), new Date(text).getTime()) ? "" : " otherwise in new Date"));
}
return lines.join("\\n");`;

test.each([1, 2, 3])('what is made of the text of a date is what Node makes of it (%i)', async (seed) => {
  const code = program(seed);
  const node = (await runOnNode([code]))[0]?.split('\n') ?? [];
  const found = (await ours.run(code)).split('\n');
  expect(found.filter((line, at) => line !== node[at])).toEqual([]);
  expect(found).toHaveLength(1500);
});
