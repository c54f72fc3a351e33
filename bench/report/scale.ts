import type { Axis } from '../result.ts';

/** From values to pixels. */
export interface Scale {
  (value: number): number;
  readonly ticks: readonly number[];
}

type Range = readonly [number, number];

const STEPS = [1, 2, 5];

/** A scale over all values with round ticks. A linear one begins at zero, so that heights can be compared. */
export function scaleOf(kind: Axis['scale'], values: readonly number[], range: Range, mostTicks: number): Scale {
  if (kind === 'linear') return linearScale(values, range, mostTicks);
  const steps = roundSteps();
  const [least, largest] = [Math.min(...values), Math.max(...values)];
  const start = steps.findLast((step) => step <= least * 1.0001) ?? least;
  const end = steps.find((step) => step >= largest * 0.9999) ?? largest;
  return logScale([start, end], range, mostTicks);
}

/** The same, but a logarithmic one ends where the values do. */
export function tightScaleOf(kind: Axis['scale'], values: readonly number[], range: Range, mostTicks: number): Scale {
  return kind === 'linear' ? linearScale(values, range, mostTicks) : logScale([Math.min(...values), Math.max(...values)], range, mostTicks);
}

function linearScale(values: readonly number[], [from, to]: Range, mostTicks: number): Scale {
  const largest = Math.max(...values, Number.EPSILON);
  const step = roundSteps().find((size) => largest / size <= mostTicks) ?? largest;
  const end = Math.ceil(largest / step - 1e-9) * step;
  const ticks = Array.from({ length: Math.round(end / step) + 1 }, (_, at) => at * step);
  return Object.assign((value: number) => from + ((to - from) * value) / end, { ticks });
}

function logScale([start, end]: Range, [from, to]: Range, mostTicks: number): Scale {
  const inside = roundSteps().filter((step) => step >= start * 0.9999 && step <= end * 1.0001);
  const powers = inside.filter((step) => isPower(step));
  const sparse = powers.length >= 2 ? powers : inside.filter((_, at) => at % 3 === 0);
  const width = Math.log(end / start) || 1;
  return Object.assign((value: number) => from + ((to - from) * Math.log(value / start)) / width, {
    ticks: inside.length <= mostTicks ? inside : sparse,
  });
}

function roundSteps(): number[] {
  return Array.from({ length: 16 }, (_, power) => STEPS.map((step) => step * 10 ** (power - 6))).flat();
}

function isPower(step: number): boolean {
  return Math.abs(Math.log10(step) - Math.round(Math.log10(step))) < 1e-6;
}

/** A tick's text. */
export function tickText(value: number): string {
  return value >= 1_000 ? value.toLocaleString('en') : String(Number(value.toPrecision(6)));
}
