import { expect, test } from 'vitest';
import { reportPage } from '../../bench/report/page.ts';
import { scaleOf, tickText } from '../../bench/report/scale.ts';
import { standalonePlot } from '../../bench/report/standalone.ts';
import type { SuiteResult } from '../../bench/result.ts';
import { describe as describeValues } from '../../bench/statistics.ts';
import { resultTable } from '../../bench/table.ts';

const sample = describeValues([1, 2, 3]);
const result: SuiteResult = {
  machine: { processor: 'Some <CPU>', cores: 4, memoryGiB: 8, system: 'Linux 6', node: 'v24.0.0', load: 0.5 },
  engine: 'quickjs',
  quick: false,
  startedAt: '2026-01-02T03:04:05.000Z',
  seconds: 10,
  rows: [
    {
      id: 'a',
      name: 'a <row>',
      unit: 'ms',
      value: 1.234,
      p95: 2,
      target: '<= 2 ms',
      ratio: 0.5,
      control: { name: 'c', value: 2 },
      verdict: 'pass',
    },
    { id: 'b', name: 'another', unit: 'runs/s', value: 1_234.5, steady: false, verdict: 'miss', target: '>= 2000 runs/s' },
  ],
  curves: [
    {
      id: 'memory',
      title: 'Memory',
      x: { label: 'runs', unit: '', scale: 'linear' },
      y: { label: 'memory', unit: 'MB', scale: 'linear' },
      series: [
        {
          name: 'executor',
          points: [
            { x: 1, y: 10 },
            { x: 100, y: 150 },
          ],
        },
      ],
      sentence: 'It grows.',
    },
  ],
  distributions: [{ name: 'never seen', percentiles: Array.from({ length: 101 }, (_, at) => 1 + at / 10) }],
  breakdowns: [
    {
      name: 'never seen',
      total: 3,
      phases: [
        { name: 'check', ms: 1 },
        { name: 'run', ms: 2 },
      ],
    },
  ],
  comparisons: [
    {
      program: 'tiny',
      description: 'adds',
      contenders: [
        { name: 'ampoule (seen before)', sample },
        { name: 'other', sample },
      ],
      sentence: 'Tiny: same.',
    },
    { program: 'two tool calls', description: 'calls', contenders: [{ name: 'ampoule (seen before)', sample }], sentence: 'Calls.' },
  ],
  notes: ['A <note>.'],
  published: [{ system: 'Elsewhere', what: 'a cold start', ms: 14, source: 'https://example.com/figures', seen: '2026-01-01' }],
};

test('the page loads nothing from elsewhere and runs no script', () => {
  const page = reportPage(result);
  expect(page).not.toMatch(/<script|<link|<img|src=|@import|url\(/);
  expect(page.match(/https?:\/\/[^"<\s]*/g)).toEqual(['https://example.com/figures']);
});

test('the page follows light and dark, fits narrow screens, and every opened element is closed', () => {
  const page = reportPage(result);
  expect(page).toContain('prefers-color-scheme:dark');
  expect(page).toContain('width=device-width');
  for (const name of ['svg', 'g', 'text', 'section', 'table', 'tr', 'td', 'figure', 'div', 'path', 'circle']) {
    expect([name, page.split(new RegExp(`<${name}[ >]`)).length]).toEqual([name, page.split(`</${name}>`).length]);
  }
});

test('text from elsewhere is escaped', () => {
  const page = reportPage(result);
  expect(page).toContain('a &lt;row&gt;');
  expect(page).toContain('A &lt;note&gt;.');
  expect(page).not.toContain('<CPU>');
});

test('published figures stand beside the smallest program, with their source and the words that they were not measured here', () => {
  const page = reportPage(result);
  expect(page).toContain('not measured here');
  expect(page).toContain('href="https://example.com/figures"');
});

test('a page of parts only leaves out the sections that have nothing', () => {
  const page = reportPage({ ...result, breakdowns: [], distributions: [], comparisons: [], curves: [], notes: [] });
  expect(page).not.toMatch(/Where a cold|Beside the alternatives|How cost grows|Notes/);
});

test('the plot for other pages is an image of its own for light and dark', () => {
  const plot = standalonePlot(result) ?? '';
  expect(plot).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  expect(plot).toContain('prefers-color-scheme:dark');
  expect(standalonePlot({ ...result, comparisons: [] })).toBeUndefined();
});

test('the table names machine, target, result, ratio and verdict of each row', () => {
  const table = resultTable(result);
  expect(table).toContain('4 x Some <CPU>, 8 GiB, Linux 6, Node v24.0.0, load 0.5 at the start; engine quickjs');
  expect(table).toMatch(/^a <row> +<= 2 ms +1\.23 ms \(p95 2\.00 ms\) +0\.50x of c +pass$/m);
  expect(table).toMatch(/^another +>= 2000 runs\/s +1,235 runs\/s ~ +MISS$/m);
});

test('a linear scale begins at zero and ends at a round value over the largest', () => {
  const scale = scaleOf('linear', [3, 87], [0, 100], 5);
  expect([scale.ticks[0], scale.ticks.at(-1)]).toEqual([0, 100]);
  expect(scale(50)).toBeCloseTo(50);
});

test('a logarithmic scale has round ticks around all values', () => {
  const scale = scaleOf('log', [0.3, 45], [0, 100], 9);
  expect(scale.ticks.map(tickText)).toEqual(['0.2', '0.5', '1', '2', '5', '10', '20', '50']);
  expect(scale(0.2)).toBeCloseTo(0);
  expect(scale(50)).toBeCloseTo(100);
});
