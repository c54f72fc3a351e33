import type { SuiteResult } from '../result.ts';
import { dotChart } from './dot-chart.ts';
import { CHART_STYLE, COLOURS } from './style.ts';
import { element, label } from './svg.ts';

const WIDTH = 760;
const MARGIN = 20;
const HEAD = 58;
/** The program that is most like what agents send. */
const PROGRAM = 'two tool calls';

/** One comparison as an image of its own, for pages that cannot hold ours. Light or dark as the reader's system is. */
export function standalonePlot({ comparisons, machine }: SuiteResult): string | undefined {
  const comparison = comparisons.find(({ program }) => program === PROGRAM);
  if (!comparison) return undefined;
  const chart = dotChart(comparison, [], { width: WIDTH - 2 * MARGIN, narrow: false });
  const inner = Number(/height="(\d+)"/.exec(chart)?.[1] ?? 0);
  const height = inner + HEAD + MARGIN;
  const quiet = `Medians, lines to p95, measured in turn on ${machine.cores} cores (${machine.processor}), Node ${machine.node}`;
  return `${element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${WIDTH} ${height}`,
      width: WIDTH,
      height,
      role: 'img',
      'aria-label': 'A run with two tool calls in several sandboxes',
    },
    element('style', {}, COLOURS, CHART_STYLE),
    element('rect', { width: WIDTH, height, style: 'fill:var(--ground)' }),
    label('A program with two tool calls, from nothing to its result', { x: MARGIN, y: 26, class: 'name', style: 'font-size:15px' }),
    label(quiet, { x: MARGIN, y: 45, class: 'axis' }),
    element('g', { transform: `translate(${MARGIN} ${HEAD})` }, chart),
  )}\n`;
}
