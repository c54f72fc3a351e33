import { readFile } from 'node:fs/promises';
import type { Random } from '../random.ts';
import { checkRemains } from './end-checks.ts';
import { faultsOf } from './judge.ts';
import { lastLife } from './last-life.ts';
import { liveAndDie } from './lives.ts';
import { INTERRUPTED } from './programs.ts';
import { openStage } from './stage.ts';
import { keysOf } from './stored.ts';

export interface KillsOptions {
  readonly kills: number;
  readonly random: Random;
  readonly onTick: (text: string) => void;
}

export interface KillsReport {
  readonly kills: number;
  /** What was killed besides servers, and how often. */
  readonly others: Readonly<Record<string, number>>;
  readonly sent: number;
  /** Runs that the store had accepted. */
  readonly accepted: number;
  /** Of these, how they ended: `completed`, or the code. */
  readonly endings: Readonly<Record<string, number>>;
  /** Final answers that clients got before a kill. */
  readonly answered: number;
  readonly effects: number;
  /** Names that sessions hold. */
  readonly counted: number;
  /** Calls of which nobody knew whether they were made. */
  readonly interrupted: number;
  /** How long the last server took for what was left to it. */
  readonly settledMs: number;
  readonly faults: readonly string[];
}

/** Ends servers with SIGKILL again and again while they have mixed runs, starts others, and looks at what has become of every run. */
export async function runKills({ kills, random, onTick }: KillsOptions): Promise<KillsReport> {
  await using started = new AsyncDisposableStack();
  const stage = await openStage(started, random);
  const { submitted, folder, others, faults } = stage;
  await liveAndDie(stage, kills, random, (killed) => onTick(`${killed} of ${kills} kills, ${submitted.sent} programs`));
  const { ended, counted, settledMs } = await lastLife(stage);
  const effects = (await readFile(stage.effects, 'utf8')).split('\n').filter(Boolean);
  const keys = keysOf(folder, ended.keys());
  faults.push(...faultsOf(submitted, { ended, keys, effects, counted }));
  faults.push(...(await checkRemains(stage, ended, random.fork('remains'))));
  const codes = [...ended.values()].map(({ status, result }) => (status === 'failed' ? (result as { code: string }).code : status));
  return {
    kills,
    others,
    sent: submitted.sent,
    accepted: ended.size,
    endings: Object.fromEntries(Object.entries(Object.groupBy(codes, (code) => code)).map(([code, all]) => [code, all?.length ?? 0])),
    answered: submitted.heard.size,
    effects: effects.length,
    counted: [...counted.values()].flat().length,
    interrupted: JSON.stringify([...ended.values()]).split(INTERRUPTED).length - 1,
    settledMs: Math.round(settledMs),
    faults,
  };
}
