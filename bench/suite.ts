import { readFileSync } from 'node:fs';
import { longerFor, remember, type History } from './history.ts';
import { describeMachine } from './machine.ts';
import type { Bench, Part } from './part.ts';
import type { Progress } from './progress.ts';
import type { Findings, PublishedFigure, SuiteResult } from './result.ts';
import { judge, readTargets } from './targets.ts';

const published = JSON.parse(readFileSync(new URL('./published.json', import.meta.url), 'utf8')) as PublishedFigure[];

const PART_MS = 200_000;
/** From here on no part gets more than its usual time, and from there on half of it. */
const NO_EXTRA_MS = 200_000;
const LATE_MS = 300_000;
const HURRY = 0.5;

/** What is the same for all parts. */
export interface Suite extends Omit<Bench, 'step' | 'longer'> {
  readonly parts: readonly Part[];
  readonly progress: Progress;
  readonly history: History;
}

export interface SuiteRun {
  readonly result: SuiteResult;
  /** For the next run. */
  readonly history: History;
  /** Whether a part could not be measured. */
  readonly failed: boolean;
}

/** Measures the parts one after the other. One that fails is a note, and the others go on. */
export async function runSuite(suite: Suite): Promise<SuiteRun> {
  const { parts, progress, quick, engineKind } = suite;
  const machine = describeMachine();
  const startedAt = new Date().toISOString();
  const began = performance.now();
  const found: Findings[] = [];
  let { history } = suite;
  let failed = false;
  for (const [at, part] of parts.entries()) {
    progress.part(part.name, at + 1, parts.length);
    const longer = paceOf(history, part.name, performance.now() - began);
    try {
      const findings = await bounded(part.measure({ ...suite, longer, step: (text) => progress.step(text) }));
      const remembered = remember(history, part.name, findings.rows ?? []);
      history = remembered.history;
      const moved = remembered.moved.join('; ');
      found.push(findings, moved === '' ? {} : { notes: [`Moved since the run before, so measured longer in the next: ${moved}.`] });
    } catch (error) {
      failed = true;
      found.push({ notes: [`The part "${part.name}" failed: ${error instanceof Error ? error.message : String(error)}`] });
      progress.failed(error);
    }
  }
  const seconds = (performance.now() - began) / 1_000;
  return { result: { machine, engine: engineKind, quick, startedAt, seconds, ...collected(found), published }, history, failed };
}

/** Waits for a part, and no longer than a part may take: one that hangs must not take the others with it. */
async function bounded(measured: Promise<Findings>): Promise<Findings> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`it was not done after ${PART_MS / 1_000} s`)), PART_MS);
  try {
    return await Promise.race([measured, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** So many times the usual time for a part: the suite must end within ten minutes on a slow machine too. */
function paceOf(history: History, part: string, elapsedMs: number): number {
  if (elapsedMs > LATE_MS) return HURRY;
  return elapsedMs > NO_EXTRA_MS ? 1 : longerFor(history, part);
}

function collected(found: readonly Findings[]): Required<Omit<Findings, 'rows'>> & Pick<SuiteResult, 'rows'> {
  const targets = readTargets();
  return {
    rows: found.flatMap(({ rows = [] }) => rows).map((row) => judge(row, targets.get(row.id))),
    curves: found.flatMap(({ curves = [] }) => curves),
    distributions: found.flatMap(({ distributions = [] }) => distributions),
    breakdowns: found.flatMap(({ breakdowns = [] }) => breakdowns),
    comparisons: found.flatMap(({ comparisons = [] }) => comparisons),
    notes: found.flatMap(({ notes = [] }) => notes),
  };
}
