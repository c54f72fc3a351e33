import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { JudgedRow, Row, Unit } from './result.ts';

const targetSchema = z.strictObject({
  atMost: z.number().exactOptional(),
  atLeast: z.number().exactOptional(),
  p95AtMost: z.number().exactOptional(),
  /** Against the row's control in the same run. */
  ratioAtMost: z.number().exactOptional(),
  ratioAtLeast: z.number().exactOptional(),
  /** The ratio is a promise of its own. Without this it stands in for the absolute target on a slower or busier machine. */
  ratioRequired: z.boolean().exactOptional(),
  reason: z.string().min(1),
});

export type Target = z.output<typeof targetSchema>;
export type Targets = ReadonlyMap<string, Target>;

/** The promises of targets.json, by row. */
export function readTargets(file = new URL('./targets.json', import.meta.url)): Targets {
  const parsed = z.record(z.string(), targetSchema).parse(JSON.parse(readFileSync(file, 'utf8')));
  return new Map(Object.entries(parsed));
}

/**
 * The row beside its promise. It passes with its absolute figures; `ratio` says that it missed them while it kept its ratio to the control,
 * which was as much slowed down by this machine.
 */
export function judge(row: Row, target: Target | undefined): JudgedRow {
  const ratio = row.control && row.control.value > 0 ? { ratio: row.value / row.control.value } : {};
  if (!target) return { ...row, ...ratio, verdict: 'none' };
  const text = targetText(target, row.unit);
  const absolute = within(row.value, target.atMost, target.atLeast) && within(row.p95 ?? 0, target.p95AtMost, undefined);
  const hasRatio = ratio.ratio !== undefined && (target.ratioAtMost !== undefined || target.ratioAtLeast !== undefined);
  const relative = hasRatio && within(ratio.ratio ?? 0, target.ratioAtMost, target.ratioAtLeast);
  const passes = absolute && (relative || target.ratioRequired !== true);
  const verdict = passes ? 'pass' : relative && target.ratioRequired !== true ? 'ratio' : 'miss';
  return { ...row, ...ratio, target: text, reason: target.reason, verdict };
}

function within(value: number, atMost = Number.POSITIVE_INFINITY, atLeast = Number.NEGATIVE_INFINITY): boolean {
  return value <= atMost && value >= atLeast;
}

function targetText({ atMost, atLeast, p95AtMost, ratioAtMost, ratioAtLeast, ratioRequired }: Target, unit: Unit): string {
  const counted = unit === 'count' ? '' : ` ${unit}`;
  const parts = [
    ...(atMost === undefined ? [] : [`<= ${atMost}${counted}`]),
    ...(atLeast === undefined ? [] : [`>= ${atLeast}${counted}`]),
    ...(p95AtMost === undefined ? [] : [`p95 <= ${p95AtMost}`]),
  ];
  const ratios = [
    ...(ratioAtMost === undefined ? [] : [`<= ${ratioAtMost}x`]),
    ...(ratioAtLeast === undefined ? [] : [`>= ${ratioAtLeast}x`]),
  ];
  return [parts.join(', '), ...ratios].join(ratioRequired === true ? ' and ' : ' or ');
}
