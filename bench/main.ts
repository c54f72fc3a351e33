import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { openEngine } from '../src/open-sandbox.ts';
import { measureCheck } from './check.ts';
import { measureExecutor } from './executor.ts';
import { measureInPool } from './in-pool.ts';
import { measureMetering } from './metering.ts';

/** `npm run bench`: what was measured, beside what is promised. */

interface Row {
  readonly name: string;
  readonly result: string;
  readonly target?: string;
  readonly met?: boolean;
}

const say = (line: string): boolean => process.stderr.write(`${line}\n`);
const ms = ({ p50, p95 }: { p50: number; p95: number }): string => `${p50.toFixed(2)} ms (p95 ${p95.toFixed(2)} ms)`;
const percent = (ratio: number): string => `${((ratio - 1) * 100).toFixed(1)} %`;
const atMost = (name: string, figure: { p50: number; p95: number }, limit: number): Row => ({
  name,
  result: ms(figure),
  target: `<= ${limit} ms`,
  met: figure.p50 <= limit,
});

const cache = fileURLToPath(new URL('../.cache', import.meta.url));
const engine = await openEngine(cache, { onBuild: (step) => say(`building the engine: ${step}`) });
say('the worker pool alone ...');
const pool = await measureInPool(engine);
say('the executor process ...');
const executor = await measureExecutor(engine);
say('metering ...');
const metering = await measureMetering(engine);
say('the type check ...');
const checks = await measureCheck();

const rows: Row[] = [
  {
    name: 'metering, run time, geometric mean of five programs',
    result: `+${percent(metering.geometricMean)}`,
    target: '<= 20 %',
    met: metering.geometricMean <= 1.2,
  },
  ...Object.entries(metering.ratios).map(([name, ratio]) => ({ name: `  ${name}`, result: `+${percent(ratio)}` })),
  { name: 'different fuel counts in 100 runs', result: String(metering.fuelCounts), target: '1', met: metering.fuelCounts === 1 },
  atMost('repeated program, two tool calls, in the pool', pool.repeated, 1.5),
  { name: '  the same through the executor process', result: ms(executor.repeated) },
  atMost('componentize a new small bundle', executor.componentize, 15),
  atMost('an endless loop ends after its limit', executor.stop.late, 50),
  { name: '  the next run on that worker', result: ms(executor.stop.next) },
  ...checks.map(({ tools, imports, ...figures }) => ({ name: `type check, ${tools} tools, ${imports} imports`, result: ms(figures) })),
  { name: 'runs per second, 64 at once, in the pool', result: pool.perSecond.toFixed(0) },
  { name: '  the same through the executor process', result: executor.perSecond.toFixed(0) },
];
const width = Math.max(...rows.map(({ name }) => name.length));
process.stdout.write(`${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}; medians\n`);
for (const { name, result, target = '', met } of rows) {
  const verdict = met === undefined ? '' : met ? 'pass' : 'MISS';
  process.stdout.write(`${name.padEnd(width)}  ${target.padEnd(9)}  ${verdict.padEnd(4)}  ${result}\n`);
}
