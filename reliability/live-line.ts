/** What a script is at: one line that is written again and again on a terminal, and now and then a line of a log. */
export interface LiveLine {
  show(text: string): void;
  end(): void;
}

const LOG_EVERY_MS = 15_000;

export function liveLine(stream: NodeJS.WriteStream): LiveLine {
  const began = performance.now();
  let loggedAt = -Infinity;
  const seconds = (): string => `${Math.round((performance.now() - began) / 1_000)} s`.padStart(6);
  return {
    show(text) {
      if (stream.isTTY) return void stream.write(`\r\u{1b}[K${`${seconds()}  ${text}`.slice(0, Math.max(20, stream.columns - 1))}`);
      if (performance.now() - loggedAt < LOG_EVERY_MS) return undefined;
      loggedAt = performance.now();
      stream.write(`${seconds()}  ${text}\n`);
      return undefined;
    },
    end() {
      if (stream.isTTY) stream.write('\r\u{1b}[K');
    },
  };
}
