import { inspect } from './inspect.ts';
import * as p from './primordials.ts';

const MAX_ROWS = 200;
const MAX_COLUMNS = 20;
const MAX_CELL = 60;

/** Rows of objects or of values as a table; undefined when they cannot be read. */
export function consoleTable(data: object): string | undefined {
  try {
    return draw(data);
  } catch {
    return undefined;
  }
}

function draw(data: object): string | undefined {
  const columns = p.newList<string>();
  const rows = p.newList<p.List<string>>();
  const keys = p.objectKeys(data);
  p.push(columns, '(index)');
  let hasValues = false;
  for (let i = 0; i < keys.length && i < MAX_ROWS; i++) {
    const key = keys[i];
    const row = p.newList<string>();
    row[0] = p.cut(key, MAX_CELL);
    const value = dataOf(data, key);
    if (typeof value === 'object' && value !== null) fillRow(row, value, columns);
    else hasValues = true;
    p.push(rows, row);
  }
  if (rows.length === 0) return undefined;
  if (hasValues) addValues(data, keys, rows, columns);
  return lines(columns, rows);
}

function fillRow(row: p.List<string>, value: object, columns: p.List<string>): void {
  const members = p.objectKeys(value);
  for (let i = 0; i < members.length; i++) {
    const name = members[i];
    let at = -1;
    for (let c = 1; c < columns.length; c++) if (columns[c] === name) at = c;
    if (at === -1 && columns.length < MAX_COLUMNS) {
      at = columns.length;
      p.push(columns, name);
    }
    if (at !== -1) row[at] = inspect(dataOf(value, name), 0, MAX_CELL);
  }
}

function addValues(data: object, keys: string[], rows: p.List<p.List<string>>, columns: p.List<string>): void {
  const at = columns.length;
  p.push(columns, 'Values');
  for (let i = 0; i < rows.length; i++) {
    const value = dataOf(data, keys[i]);
    if (typeof value !== 'object' || value === null) rows[i][at] = inspect(value, 0, MAX_CELL);
  }
}

function lines(columns: p.List<string>, rows: p.List<p.List<string>>): string {
  const widths = p.newList<number>();
  for (let c = 0; c < columns.length; c++) {
    let width = columns[c].length;
    for (let r = 0; r < rows.length; r++) width = p.max(width, (rows[r][c] ?? '').length);
    p.push(widths, p.min(width, MAX_CELL));
  }
  let text = `${line(columns, widths)}\n${rule(widths)}`;
  for (let r = 0; r < rows.length; r++) text += `\n${line(rows[r], widths)}`;
  return text;
}

function line(cells: p.List<string>, widths: p.List<number>): string {
  let text = '|';
  for (let c = 0; c < widths.length; c++) {
    const cell = p.cut(cells[c] ?? '', MAX_CELL);
    text += ` ${cell}${p.repeat(' ', p.max(0, widths[c] - cell.length))} |`;
  }
  return text;
}

function rule(widths: p.List<number>): string {
  let text = '|';
  for (let c = 0; c < widths.length; c++) text += `${p.repeat('-', widths[c] + 2)}|`;
  return text;
}

function dataOf(holder: object, key: string): unknown {
  const descriptor = p.getOwnPropertyDescriptor(holder, key);
  return descriptor !== undefined && p.hasOwn(descriptor, 'value') ? descriptor.value : undefined;
}
