import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { Row } from './result.ts';

/** A figure that moved further than this between two runs of the suite is measured longer in the next. */
const MOVED = 0.2;
const LONGER = 1.5;

const partSchema = z.strictObject({ figures: z.record(z.string(), z.number()), longer: z.number() });
const historySchema = z.record(z.string(), partSchema);

/** What earlier runs of the suite found, by part. */
export type History = Readonly<Record<string, z.output<typeof partSchema>>>;

/** The history in a file; empty when there is none that can be read. */
export async function readHistory(file: string): Promise<History> {
  try {
    return historySchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return {};
  }
}

export async function writeHistory(file: string, history: History): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, JSON.stringify(history));
}

/** How many times its usual time a part gets. */
export function longerFor(history: History, part: string): number {
  return history[part]?.longer ?? 1;
}

/** The history after a part was measured again, and what of it moved, in words. */
export function remember(
  history: History,
  part: string,
  rows: readonly Row[],
): { readonly history: History; readonly moved: readonly string[] } {
  const before = history[part]?.figures ?? {};
  const moved = rows.filter(({ name, value, unit }) => unit !== 'count' && hasMoved(before[name], value));
  const figures = Object.fromEntries(rows.map(({ name, value }) => [name, value]));
  return {
    history: { ...history, [part]: { figures, longer: moved.length > 0 ? LONGER : 1 } },
    moved: moved.map(({ name, value }) => `${name}: ${round(before[name] ?? 0)} before, ${round(value)} now`),
  };
}

function hasMoved(before: number | undefined, now: number): boolean {
  return before !== undefined && Math.abs(now - before) > MOVED * Math.max(Math.abs(before), Number.EPSILON);
}

function round(value: number): string {
  return String(Number(value.toPrecision(3)));
}
