import type { Axis, Series } from '../result.ts';
import { scaleOf, tickText, tightScaleOf, type Scale } from './scale.ts';
import { element, label, pathThrough, widthOf } from './svg.ts';

/** How much room a chart has. Every chart is drawn twice: text that is scaled down cannot be read on a phone. */
export interface Room {
  readonly width: number;
  readonly height: number;
  readonly narrow: boolean;
}

export interface LineChart {
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
  /** Whether the points were measured each, or are a finely drawn line. */
  readonly dots: boolean;
  /** Where the lines have their names: at their end, or at a quarter of their height for lines that end in the same place. */
  readonly names: 'end' | 'low';
  /** Vertical lines with a word each, at a value of x. */
  readonly marks?: readonly { readonly x: number; readonly text: string }[];
  readonly description: string;
}

const TOP = 34;
const BOTTOM = 44;
const LEFT = 52;
const LABEL_HEIGHT = 16;

/** A line chart: labelled axes, a name at the end of each line, a tooltip on each point. */
export function lineChart(chart: LineChart, { width, height, narrow }: Room): string {
  const names = chart.series.map(({ name }) => name);
  const several = names.length > 1;
  const beside = Math.max(...names.map((name) => widthOf(name))) + 18;
  const above = chart.names === 'end' && narrow && beside > width / 4;
  const right = !several || above || chart.names === 'low' ? 24 : beside;
  const points = chart.series.flatMap((line) => line.points);
  const x = tightScaleOf(
    chart.x.scale,
    points.map((point) => point.x),
    [LEFT, width - right],
    narrow ? 5 : 9,
  );
  const y = scaleOf(
    chart.y.scale,
    points.map((point) => point.y),
    [height - BOTTOM, TOP],
    7,
  );
  return element(
    'svg',
    { viewBox: `0 0 ${width} ${height}`, width, height, role: 'img', 'aria-label': chart.description },
    ...grid(x, y, { left: LEFT, right: width - right, bottom: height - BOTTOM }),
    label(axisText(chart.y), { x: 4, y: 14, class: 'axis' }),
    label(axisText(chart.x), { x: (LEFT + width - right) / 2, y: height - 6, class: 'axis', 'text-anchor': 'middle' }),
    ...(chart.marks ?? []).map((mark) => markLine(mark, x, height)),
    ...chart.series.map((line, at) => drawn(line, at, chart, x, y)),
    ...(several ? nameLabels(chart, x, y, above) : []),
  );
}

function axisText({ label: text, unit }: Axis): string {
  return unit === '' ? text : `${text}, ${unit}`;
}

function grid(x: Scale, y: Scale, { left, right, bottom }: { left: number; right: number; bottom: number }): string[] {
  return [
    ...y.ticks.flatMap((tick) => [
      element('line', { x1: left, x2: right, y1: y(tick), y2: y(tick), class: 'grid' }),
      label(tickText(tick), { x: left - 6, y: y(tick) + 4, class: 'tick', 'text-anchor': 'end' }),
    ]),
    ...x.ticks.flatMap((tick) => [
      element('line', { x1: x(tick), x2: x(tick), y1: bottom, y2: bottom + 4, class: 'rule' }),
      label(tickText(tick), { x: x(tick), y: bottom + 17, class: 'tick', 'text-anchor': 'middle' }),
    ]),
    element('line', { x1: left, x2: right, y1: bottom, y2: bottom, class: 'rule' }),
  ];
}

function drawn(line: Series, at: number, chart: LineChart, x: Scale, y: Scale): string {
  const path = element('path', { d: pathThrough(line.points.map((point) => [x(point.x), y(point.y)])), class: `line c${at + 1}` });
  if (!chart.dots) return path;
  const dots = line.points.map((point) =>
    element(
      'circle',
      { cx: x(point.x), cy: y(point.y), r: 3.5, class: `dot c${at + 1}` },
      element(
        'title',
        {},
        `${line.name}: ${tickText(Number(point.y.toPrecision(3)))} ${chart.y.unit} at ${tickText(point.x)} ${chart.x.unit}`.trim(),
      ),
    ),
  );
  return [path, ...dots].join('');
}

/** The name of each line: beside its end, above its highest point where there is no room beside it, or to the right of its lower part. */
function nameLabels({ series, names }: LineChart, x: Scale, y: Scale, above: boolean): string[] {
  const places = series.map(({ points }) => {
    if (names === 'low') return points[Math.floor(points.length / 4)];
    return above ? points.toSorted((a, b) => b.y - a.y)[0] : points.at(-1);
  });
  const heights = apart(places.map((place) => y(place?.y ?? 1) + (above ? -9 : 4)));
  return series.flatMap(({ name }, at) => {
    const place = places[at];
    if (!place) return [];
    const [from, to] = [x.ticks[0] ?? 0, x.ticks.at(-1) ?? 0];
    const anchor = above && x(place.x) > (x(from) + x(to)) / 2 ? 'end' : 'start';
    return [label(name, { x: x(place.x) + (above ? 2 : 9), y: heights[at] ?? 0, class: `name t${at + 1}`, 'text-anchor': anchor })];
  });
}

/** The heights, moved so far that no text lies on another. */
function apart(heights: readonly number[]): number[] {
  const order = heights.map((height, at) => ({ height, at })).sort((a, b) => a.height - b.height);
  for (let i = 1; i < order.length; i += 1) {
    const [above, below] = [order[i - 1], order[i]];
    if (above && below) below.height = Math.max(below.height, above.height + LABEL_HEIGHT);
  }
  return heights.map((_, at) => order.find((entry) => entry.at === at)?.height ?? 0);
}

function markLine({ x: value, text }: { x: number; text: string }, x: Scale, height: number): string {
  return [
    element('line', { x1: x(value), x2: x(value), y1: TOP, y2: height - BOTTOM, class: 'mark' }),
    label(text, { x: x(value), y: TOP - 6, class: 'note', 'text-anchor': 'middle' }),
  ].join('');
}
