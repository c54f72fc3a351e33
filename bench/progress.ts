/** What is being measured, on one line of a terminal or as lines of a log. */
export interface Progress {
  /** A part begins. */
  part(name: string, number: number, of: number): void;
  /** What the part is at. */
  step(text: string): void;
  /** The part ends early. */
  failed(error: unknown): void;
  end(): void;
}

const TICK_MS = 250;

/** Shows how far the suite is. On a terminal the line is written again and again; else each part is one line. */
export function showProgress(stream: NodeJS.WriteStream): Progress {
  const began = performance.now();
  let current = '';
  let detail = '';
  const seconds = (): string => `${Math.round((performance.now() - began) / 1_000)} s`.padStart(6);
  const draw = (): void => {
    const line = `${seconds()}  ${current}${detail === '' ? '' : `: ${detail}`}`;
    stream.write(`\r\u{1b}[K${line.slice(0, Math.max(20, stream.columns - 1))}`);
  };
  const timer = stream.isTTY ? setInterval(draw, TICK_MS).unref() : undefined;
  return {
    part(name, number, of) {
      current = `[${number}/${of}] ${name}`;
      detail = '';
      if (stream.isTTY) draw();
      else stream.write(`${seconds()}  ${current}\n`);
    },
    step(text) {
      detail = text;
      if (stream.isTTY) draw();
    },
    failed(error) {
      stream.write(
        `${stream.isTTY ? '\n' : ''}${current} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
      );
    },
    end() {
      clearInterval(timer);
      if (stream.isTTY) stream.write('\r\u{1b}[K');
    },
  };
}
