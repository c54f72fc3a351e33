import type { Breakdown } from '../result.ts';
import type { Room } from './line-chart.ts';
import { scaleOf, tickText } from './scale.ts';
import { element, label, widthOf } from './svg.ts';

const BAR = 34;
const GAP = 30;
const TOP = 8;
const LEAST_LABELLED = 46;

/** Horizontal bars of phases that follow each other, on one scale. The legend has what is too short for a label. */
export function stackedBars(breakdowns: readonly Breakdown[], { width }: Pick<Room, 'width'>): string {
  const totals = breakdowns.map(({ phases }) => phases.reduce((sum, { ms }) => sum + ms, 0));
  const x = scaleOf('linear', totals, [2, width - 20], 8);
  const height = TOP + breakdowns.length * (BAR + GAP) + 40;
  const bottom = height - 40;
  return element(
    'svg',
    { viewBox: `0 0 ${width} ${height}`, width, height, role: 'img', 'aria-label': 'Time of a run by phase, in milliseconds' },
    ...x.ticks.flatMap((tick) => [
      element('line', { x1: x(tick), x2: x(tick), y1: TOP, y2: bottom, class: 'grid' }),
      label(tickText(tick), { x: x(tick), y: bottom + 15, class: 'tick', 'text-anchor': 'middle' }),
    ]),
    label('time, ms', { x: width / 2, y: height - 6, class: 'axis', 'text-anchor': 'middle' }),
    ...breakdowns.map((breakdown, at) => bar(breakdown, TOP + at * (BAR + GAP), x)),
  );
}

function bar({ name, total, phases }: Breakdown, top: number, x: (ms: number) => number): string {
  let from = 0;
  const pieces = phases.map((phase, at) => {
    const [left, right] = [x(from), x(from + phase.ms)];
    from += phase.ms;
    const text = phase.ms.toFixed(1);
    const fits = right - left >= LEAST_LABELLED && right - left > widthOf(text) + 8;
    return [
      element(
        'rect',
        { x: left, y: top + 18, width: Math.max(0, right - left - 1), height: BAR, class: `c${at + 1} area` },
        element('title', {}, `${phase.name}: ${phase.ms.toFixed(2)} ms`),
      ),
      fits ? label(text, { x: (left + right) / 2, y: top + 18 + BAR / 2 + 4, class: 'inside', 'text-anchor': 'middle' }) : '',
    ].join('');
  });
  return [label(`${name}: ${total.toFixed(2)} ms`, { x: 2, y: top + 12, class: 'name' }), ...pieces].join('');
}

/** What the colours mean, with the figures of each bar. */
export function phaseLegend(breakdowns: readonly Breakdown[]): string {
  const [first] = breakdowns;
  const head = element(
    'tr',
    {},
    element('th', {}, 'phase'),
    ...breakdowns.map(({ name }) => element('th', { class: 'number' }, `${name}, ms`)),
  );
  const rows = (first?.phases ?? []).map(({ name }, at) =>
    element(
      'tr',
      {},
      element('td', {}, element('span', { class: `key k${at + 1}` }), name),
      ...breakdowns.map(({ phases }) => element('td', { class: 'number' }, (phases[at]?.ms ?? 0).toFixed(2))),
    ),
  );
  return element('table', { class: 'legend' }, element('thead', {}, head), element('tbody', {}, ...rows));
}
