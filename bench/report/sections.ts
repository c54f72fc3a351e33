import type { Curve, SuiteResult } from '../result.ts';
import { ratioText, resultText, verdictText } from '../table.ts';
import { dotChart } from './dot-chart.ts';
import { lineChart, type LineChart, type Room } from './line-chart.ts';
import { phaseLegend, stackedBars } from './stacked-bars.ts';
import { element, escapeText } from './svg.ts';

const WIDE: Room = { width: 520, height: 300, narrow: false };
const FULL: Room = { width: 1080, height: 300, narrow: false };
const NARROW: Room = { width: 360, height: 270, narrow: true };

/** A part of the page; nothing when there is nothing to show. */
export function section(title: string, ...content: readonly string[]): string {
  return content.every((text) => text === '') ? '' : element('section', {}, element('h2', {}, escapeText(title)), ...content);
}

function paragraph(text: string, quiet = false): string {
  return text === '' ? '' : element('p', quiet ? { class: 'quiet' } : {}, escapeText(text));
}

/** The same chart twice, for wide and for narrow screens: one of them is shown. */
function twice(draw: (room: Room) => string, wide = WIDE): string {
  return element('figure', {}, element('div', { class: 'wide' }, draw(wide)), element('div', { class: 'narrow' }, draw(NARROW)));
}

/** The table of targets. */
export function targetTable({ rows }: SuiteResult): string {
  if (rows.length === 0) return '';
  const head = ['measure', 'target', 'result', 'ratio to its control', ''].map((name) => element('th', {}, name));
  const body = rows.map((row) =>
    element(
      'tr',
      row.reason === undefined ? {} : { title: row.reason },
      element('td', {}, escapeText(row.name)),
      element('td', { 'data-name': 'target' }, escapeText((row.target ?? '').replaceAll('<=', '≤').replaceAll('>=', '≥'))),
      element('td', { 'data-name': 'result' }, escapeText(resultText(row))),
      element('td', { 'data-name': 'ratio' }, escapeText(ratioText(row))),
      element('td', { class: `verdict ${row.verdict}` }, verdictText(row)),
    ),
  );
  return element('table', { class: 'targets' }, element('thead', {}, element('tr', {}, ...head)), element('tbody', {}, ...body));
}

/** Where the time of a run goes. */
export function breakdownSection({ breakdowns }: SuiteResult): string {
  if (breakdowns.length === 0) return '';
  const chart = twice((room) => stackedBars(breakdowns, room), FULL);
  const words =
    'Medians by phase of one request over HTTP. The type check runs beside bundling and componentizing, so only what it takes longer is shown as its own. Medians of phases need not add up to the median of the whole.';
  return [paragraph(words), chart, phaseLegend(breakdowns)].join('');
}

/** How many requests were answered by when. */
export function distributionSection({ distributions, published }: SuiteResult): string {
  if (distributions.length === 0) return '';
  // The slowest one in a hundred would take half of the room.
  const shown = distributions.map(({ name, percentiles }) => ({ name, points: percentiles.slice(0, 100).map((x, y) => ({ x, y })) }));
  const slowest = Math.max(...shown.map(({ points }) => points.at(-1)?.x ?? 0));
  const chart: LineChart = {
    x: { label: 'time', unit: 'ms', scale: 'log' },
    y: { label: 'requests answered by then', unit: '%', scale: 'linear' },
    series: shown,
    marks: published.filter(({ ms }) => ms < slowest).map(({ system, ms }) => ({ x: ms, text: `${system}, published` })),
    dots: false,
    names: 'low',
    description: 'Share of requests answered, by time',
  };
  const words = distributions.map(
    ({ name, percentiles: at }) =>
      `${name.charAt(0).toUpperCase()}${name.slice(1)}: half within ${at[50]?.toFixed(2)} ms, 95 % within ${at[95]?.toFixed(2)} ms`,
  );
  return [
    paragraph(
      `Over HTTP on loopback, one request after the other, up to the 99th percentile. Dashed lines are figures that others have published, with their sources below. ${words.join('. ')}.`,
    ),
    twice((room) => lineChart(chart, room), FULL),
  ].join('');
}

/** One measured curve with its sentence. */
export function curvePanel(curve: Curve): string {
  const chart = { ...curve, dots: true, names: 'end' as const, description: curve.title };
  return element(
    'section',
    {},
    element('h3', {}, escapeText(curve.title)),
    paragraph(curve.sentence),
    twice((room) => lineChart(chart, room)),
  );
}

/** All contenders, program by program; the published figures beside the smallest program only, because they are of such ones. */
export function comparisonSection({ comparisons, published }: SuiteResult): string {
  if (comparisons.length === 0) return '';
  const panels = comparisons.map((comparison, at) =>
    element(
      'section',
      {},
      element('h3', {}, `${escapeText(comparison.program)}: ${escapeText(comparison.description)}`),
      twice((room) => dotChart(comparison, at === 0 ? published : [], room)),
      paragraph(comparison.sentence, true),
      at === 0 ? publishedList(published) : '',
    ),
  );
  return element('div', { class: 'panels' }, ...panels);
}

function publishedList(published: SuiteResult['published']): string {
  const items = published.map(({ system, what, ms, source, seen }) =>
    element(
      'li',
      {},
      `${escapeText(system)}, ${ms} ms: ${escapeText(what)} (`,
      element('a', { href: source }, 'source'),
      `, seen ${escapeText(seen)})`,
    ),
  );
  return [
    paragraph('Dashed: published by others on other machines, not measured here.', true),
    element('ol', { class: 'quiet' }, ...items),
  ].join('');
}
