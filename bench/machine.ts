import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';

/** What the figures were measured on. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  /** Processes that wanted a core in the minute before the suite began. */
  readonly load: number;
}

export function describeMachine(): Machine {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release().split('-')[0] ?? ''}`.trim(),
    node: process.version,
    load: loadavg()[0] ?? 0,
  };
}

export function machineText({ processor, cores, memoryGiB, system, node, load }: Machine): string {
  return `${cores} x ${processor}, ${memoryGiB} GiB, ${system}, Node ${node}, load ${load.toFixed(1)} at the start`;
}
