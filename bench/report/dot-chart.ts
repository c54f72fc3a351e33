import type { ProgramComparison, PublishedFigure } from '../result.ts';
import { isOurs } from '../contenders/names.ts';
import { amount } from '../table.ts';
import type { Room } from './line-chart.ts';
import { scaleOf, tickText, type Scale } from './scale.ts';
import { element, label } from './svg.ts';

const TOP = 6;
const BOTTOM = 40;
const REFERENCE = 30;
const NAMES = 258;
const FIGURES = 62;

/** Where things are: names beside the dots, or above them on narrow screens. */
interface Layout {
  readonly row: number;
  readonly left: number;
  readonly right: number;
  /** Of a dot and of its name, below the top of the row. */
  readonly dot: number;
  readonly text: number;
}

/** Medians on a logarithmic scale, each with a thin line to its p95. Ours stand out; published figures are dashed lines. */
export function dotChart(
  { program, contenders }: ProgramComparison,
  published: readonly PublishedFigure[],
  { width, narrow }: Pick<Room, 'width' | 'narrow'>,
): string {
  const layout = narrow
    ? { row: 40, left: 8, right: width - 14, dot: 26, text: 14 }
    : { row: 26, left: NAMES, right: width - FIGURES - 8, dot: 13, text: 17 };
  const values = [...contenders.flatMap(({ sample }) => [sample.p50, sample.p95]), ...published.map(({ ms }) => ms)];
  const x = scaleOf('log', values, [layout.left, layout.right], 5);
  const bottom = TOP + contenders.length * layout.row + (published.length > 0 ? REFERENCE : 4);
  const middle = (layout.left + layout.right) / 2;
  return element(
    'svg',
    {
      viewBox: `0 0 ${width} ${bottom + BOTTOM}`,
      width,
      height: bottom + BOTTOM,
      role: 'img',
      'aria-label': `Medians of all contenders: ${program}`,
    },
    ...x.ticks.flatMap((tick) => [
      element('line', { x1: x(tick), x2: x(tick), y1: TOP, y2: bottom, class: 'grid' }),
      label(tickText(tick), { x: x(tick), y: bottom + 15, class: 'tick', 'text-anchor': 'middle' }),
    ]),
    label('time, ms (logarithmic)', { x: middle, y: bottom + 33, class: 'axis', 'text-anchor': 'middle' }),
    ...published.map(({ ms }, at) => reference(ms, at, x, bottom)),
    ...contenders.map((contender, at) => row(contender, TOP + at * layout.row, x, { ...layout, width, narrow })),
  );
}

function row(
  { name, sample }: ProgramComparison['contenders'][number],
  top: number,
  x: Scale,
  { dot, text, left, width, narrow }: Layout & Pick<Room, 'width' | 'narrow'>,
): string {
  const colour = isOurs(name) ? 'c1' : 'other';
  const y = top + dot;
  const place = narrow ? { x: left } : { x: left - 12, 'text-anchor': 'end' };
  return [
    label(name, { ...place, y: top + text, class: colour === 'c1' ? 'name t1' : 'name' }),
    label(amount(sample.p50, 'ms'), { x: width - 4, y: top + text, class: 'name', 'text-anchor': 'end' }),
    element('line', { x1: x(sample.p50), x2: x(sample.p95), y1: y, y2: y, class: `whisker ${colour}` }),
    element(
      'circle',
      { cx: x(sample.p50), cy: y, r: 5, class: `dot ${colour}` },
      element('title', {}, `${name}: median ${amount(sample.p50, 'ms')}, p95 ${amount(sample.p95, 'ms')}, ${sample.count} runs`),
    ),
  ].join('');
}

function reference(ms: number, at: number, x: Scale, bottom: number): string {
  return [
    element('line', { x1: x(ms), x2: x(ms), y1: TOP, y2: bottom - 18, class: 'mark' }),
    element('circle', { cx: x(ms), cy: bottom - 10, r: 8, class: 'badge' }),
    label(String(at + 1), { x: x(ms), y: bottom - 6, class: 'inside-badge', 'text-anchor': 'middle' }),
  ].join('');
}
