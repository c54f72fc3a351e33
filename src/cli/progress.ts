import type { BuildStep } from '../engine/build-process.ts';

const STEPS: Record<BuildStep, string> = {
  componentize: 'JavaScript engine and guest runtime become one component (componentize-js)',
  transpile: 'component becomes core modules (jco)',
  meter: 'fuel, virtual memory size and interrupts are woven in',
  write: 'engine is checked and stored',
};
const NAMES = Object.keys(STEPS) as BuildStep[];
const TICK_MS = 100;
const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/** Shows the steps of an engine build: a spinner with the time on a terminal, plain lines elsewhere. Nothing when nothing is built. */
export function showBuildProgress(stream: NodeJS.WriteStream): { step: (step: BuildStep) => void; end: () => void } {
  let current: { step: BuildStep; began: number; timer: NodeJS.Timeout | undefined } | undefined;
  const line = (mark: string, { step, began }: { step: BuildStep; began: number }): string =>
    `${mark} [${NAMES.indexOf(step) + 1}/${NAMES.length}] ${STEPS[step]} ${((performance.now() - began) / 1000).toFixed(1)} s`;
  const end = (): void => {
    if (!current) return;
    clearInterval(current.timer);
    stream.write(`${stream.isTTY ? '\r\u001B[2K' : ''}${line('✓', current)}\n`);
    current = undefined;
  };
  const step = (next: BuildStep): void => {
    if (current) end();
    else stream.write('Building the engine, once for this version:\n');
    const started = { step: next, began: performance.now() };
    let frame = 0;
    const draw = (): unknown => stream.write(`\r\u001B[2K${line(FRAMES[frame++ % FRAMES.length] ?? ' ', started)}`);
    current = { ...started, timer: stream.isTTY ? setInterval(draw, TICK_MS) : undefined };
  };
  return { step, end };
}
