import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readSource } from '../src/bundle/source-text.ts';
import { createChecker } from '../src/check/checker.ts';
import { generateWrappers } from '../src/wrappers/generate.ts';
import { inProcessUpstreams, programOf } from './over-http-upstream.ts';

const WARM = 1000;
const POINTS = 10;
const SIGNAL = new AbortController().signal;

export interface CheckMemory {
  /** Megabytes resident in the checker's process, at as many points behind each other. */
  readonly megabytes: readonly number[];
  /** The line through them: kilobytes more for each source. */
  readonly kilobytesPerSource: number;
}

/** Checks so many different sources, and looks at the checker's memory. Needs `/proc` and `ps`. */
export async function measureCheckMemory(sources = 10_000): Promise<CheckMemory> {
  const guest = (name: string): string => readFileSync(new URL(`../host-functions/guest/${name}`, import.meta.url), 'utf8');
  await using checker = createChecker({
    libraries: [],
    resolveFrom: '/nonexistent',
    globals: guest('globals.d.ts'),
    ampoule: guest('ampoule.d.ts'),
    readSource,
  });
  const wrappers = await generateWrappers(inProcessUpstreams(98).catalog(), {}, SIGNAL);
  const megabytes: number[] = [];
  for (let at = 0; at < WARM + sources; at++) {
    await checker.check({ code: programOf(at), wrappers }, SIGNAL);
    if (at >= WARM && (at - WARM + 1) % Math.floor(sources / POINTS) === 0) megabytes.push(residentMegabytes());
  }
  return { megabytes, kilobytesPerSource: (slope(megabytes) * 1024) / (sources / POINTS) };
}

function residentMegabytes(): number {
  const table = execFileSync('ps', ['-o', 'rss=,args=', '--ppid', String(process.pid)], { encoding: 'utf8' });
  const row = table.split('\n').find((line) => line.includes('--api'));
  return Number.parseInt(row ?? '', 10) / 1024;
}

function slope(figures: readonly number[]): number {
  const middle = (figures.length - 1) / 2;
  const mean = figures.reduce((sum, figure) => sum + figure, 0) / figures.length;
  const above = figures.reduce((sum, figure, at) => sum + (at - middle) * (figure - mean), 0);
  return above / figures.reduce((sum, _figure, at) => sum + (at - middle) ** 2, 0);
}
