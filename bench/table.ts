import { summarySentence } from './contenders/sentence.ts';
import { machineText } from './machine.ts';
import type { JudgedRow, Row, SuiteResult, Unit } from './result.ts';

const VERDICTS: Readonly<Record<JudgedRow['verdict'], string>> = { pass: 'pass', ratio: 'pass by ratio', miss: 'MISS', none: '' };

/** A figure with its unit, as the table and the page show it. */
export function amount(value: number, unit: Unit): string {
  switch (unit) {
    case 'ms':
      return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ms`;
    case 'MB':
      return `${value.toFixed(2)} MB`;
    case '%':
      return `${value.toFixed(1)} %`;
    case 'runs/s':
      return `${Math.round(value).toLocaleString('en')} runs/s`;
    case 'count':
      return value.toLocaleString('en');
    case 'tokens':
      return `${value.toLocaleString('en')} tokens`;
  }
}

/** The result of a row, with its p95 and a mark when it still moved. */
export function resultText({ value, p95, unit, steady }: Row): string {
  const tail = p95 === undefined ? '' : ` (p95 ${amount(p95, unit)})`;
  return `${amount(value, unit)}${tail}${steady === false ? ' ~' : ''}`;
}

/** The ratio to the control. */
export function ratioText({ ratio, control }: JudgedRow): string {
  if (ratio === undefined || control === undefined) return '';
  return `${ratio < 10 ? ratio.toFixed(2) : ratio.toFixed(0)}x of ${control.name}`;
}

/** What the verdict is called. */
export function verdictText({ verdict }: JudgedRow): string {
  return VERDICTS[verdict];
}

/** Everything that the suite found, as text. */
export function resultTable(result: SuiteResult): string {
  const { rows, comparisons, curves, notes, published } = result;
  const lines = [
    `${machineText(result.machine)}; engine ${result.engine}${result.quick ? '; quick' : ''}; ${Math.round(result.seconds)} s`,
    '',
    ...(rows.length === 0 ? [] : [...columns(rows), '']),
    ...(rows.some(({ steady }) => steady === false) ? ['~ still moved when its time was used up', ''] : []),
    ...comparisons.flatMap(({ program, description, contenders, sentence }) => [
      `${program}: ${description}`,
      ...aligned(
        contenders.map(({ name, sample: { p50, p95, spread, count } }) => [
          `  ${name}`,
          amount(p50, 'ms'),
          `p95 ${amount(p95, 'ms')}`,
          `+-${(spread * 100).toFixed(0)} %`,
          `${count} runs`,
        ]),
      ),
      `  ${sentence}`,
      '',
    ]),
    ...(comparisons.length === 0 ? [] : [summarySentence(comparisons), '']),
    ...curves.flatMap(({ title, sentence }) => [title, `  ${sentence}`, '']),
    ...(comparisons.length === 0
      ? []
      : [
          'Published by others, not measured here:',
          ...published.map((of) => `  ${of.system}: ${of.ms} ms, ${of.what} (${of.source})`),
          '',
        ]),
    ...notes.map((note) => `Note: ${note}`),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

function columns(rows: readonly JudgedRow[]): string[] {
  const head = ['measure', 'target', 'result', 'ratio', ''];
  return aligned([head, ...rows.map((row) => [row.name, row.target ?? '', resultText(row), ratioText(row), verdictText(row)])]);
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
