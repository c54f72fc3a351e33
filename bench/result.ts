import type { Machine } from './machine.ts';
import type { Sample } from './statistics.ts';

export type Unit = 'ms' | 'runs/s' | 'MB' | '%' | 'count' | 'tokens';

/** One figure of the table. `id` names its line in targets.json. */
export interface Row {
  readonly id: string;
  readonly name: string;
  readonly unit: Unit;
  readonly value: number;
  readonly p95?: number;
  /** The same kind of figure of something else, measured in turn with this one. */
  readonly control?: { readonly name: string; readonly value: number };
  /** False: it still moved when the time for it was used up. */
  readonly steady?: boolean;
}

/** A row beside what is promised of it. */
export interface JudgedRow extends Row {
  readonly target?: string;
  /** The value over its control's, where there is one. */
  readonly ratio?: number;
  /** Why the target is what it is. */
  readonly reason?: string;
  /** `ratio`: the absolute target was missed, the ratio to the control was kept. */
  readonly verdict: 'pass' | 'ratio' | 'miss' | 'none';
}

export interface Axis {
  readonly label: string;
  readonly unit: string;
  readonly scale: 'linear' | 'log';
}

/** A measured curve. */
export interface Curve {
  readonly id: string;
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
  /** What the curve says, in words made from its figures. */
  readonly sentence: string;
}

export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Latencies of one kind of request: percentiles from 0 to 100, in milliseconds. */
export interface Distribution {
  readonly name: string;
  readonly percentiles: readonly number[];
}

/** Where the time of one kind of request goes, in milliseconds, in order. */
export interface Breakdown {
  readonly name: string;
  readonly total: number;
  readonly phases: readonly { readonly name: string; readonly ms: number }[];
}

/** All contenders with one program, in milliseconds. */
export interface ProgramComparison {
  readonly program: string;
  readonly description: string;
  readonly contenders: readonly { readonly name: string; readonly sample: Sample }[];
  readonly sentence: string;
}

/** A figure that somebody else published. It was not measured here. */
export interface PublishedFigure {
  readonly system: string;
  readonly what: string;
  readonly ms: number;
  readonly source: string;
  readonly seen: string;
}

/** What one part of the suite found. */
export interface Findings {
  readonly rows?: readonly Row[];
  readonly curves?: readonly Curve[];
  readonly distributions?: readonly Distribution[];
  readonly breakdowns?: readonly Breakdown[];
  readonly comparisons?: readonly ProgramComparison[];
  /** What was left out and why, and other things a reader has to know. */
  readonly notes?: readonly string[];
}

/** What the suite found: the content of `--json` and of the report. */
export interface SuiteResult extends Required<Omit<Findings, 'rows'>> {
  readonly machine: Machine;
  readonly engine: string;
  readonly quick: boolean;
  /** ISO 8601, the beginning. */
  readonly startedAt: string;
  readonly seconds: number;
  readonly rows: readonly JudgedRow[];
  readonly published: readonly PublishedFigure[];
}
