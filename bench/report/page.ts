import { summarySentence } from '../contenders/sentence.ts';
import { machineText } from '../machine.ts';
import type { SuiteResult } from '../result.ts';
import { breakdownSection, comparisonSection, curvePanel, distributionSection, section, targetTable } from './sections.ts';
import { PAGE_STYLE } from './style.ts';
import { element, escapeText } from './svg.ts';

/** Curves that stand on their own at the top of the page; the others follow under "How cost grows". */
const FIRST = new Set(['concurrency', 'memory']);

/** The whole report as one page without anything from elsewhere. */
export function reportPage(result: SuiteResult): string {
  const first = result.curves.filter(({ id }) => FIRST.has(id)).map(curvePanel);
  const others = result.curves.filter(({ id }) => !FIRST.has(id)).map(curvePanel);
  const panels = (list: readonly string[]): string => (list.length === 0 ? '' : element('div', { class: 'panels' }, ...list));
  const body = [
    element('h1', {}, 'Ampoule: what was measured'),
    element('p', { class: 'quiet' }, escapeText(aboutThisRun(result))),
    section('Promises and results', targetTable(result), targetWords(result)),
    section("Where a cold run's time goes", breakdownSection(result)),
    section('Latency', distributionSection(result)),
    section('Many at once', panels(first)),
    section('Beside the alternatives', comparisonWords(result), comparisonSection(result)),
    section('How cost grows', panels(others)),
    section(
      'Notes',
      result.notes.length === 0 ? '' : element('ul', {}, ...result.notes.map((note) => element('li', {}, escapeText(note)))),
    ),
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>Ampoule: benchmarks</title><style>${PAGE_STYLE}</style></head>
<body><main>${body.join('\n')}</main></body></html>
`;
}

function aboutThisRun({ machine, engine, startedAt, seconds, quick }: SuiteResult): string {
  const day = startedAt.slice(0, 16).replace('T', ' ');
  return `${machineText(machine)}; engine ${engine}; ${day} UTC, ${Math.round(seconds)} s${quick ? '; a quick run: single figures are rough' : ''}.`;
}

function targetWords({ rows }: SuiteResult): string {
  if (rows.length === 0) return '';
  const words = `Medians, p95 beside them. The ratio is to a control measured around the same time: on a slower or busier machine, a figure that misses its absolute target and keeps its ratio passes by ratio. ~ marks what still moved when its time was used up.`;
  return element('p', { class: 'quiet' }, words);
}

function comparisonWords({ comparisons }: SuiteResult): string {
  if (comparisons.length === 0) return '';
  const words =
    'The same program in every sandbox, from nothing to its result, in turn. Ours goes through its executor process with all limits on; the others run in or beside the process that measures. Worker threads and Node processes have all of Node’s powers: they are here for scale, not as sandboxes. Dots are medians, with a line to p95; the scale is logarithmic.';
  return [element('p', {}, words), element('p', {}, escapeText(summarySentence(comparisons)))].join('');
}
