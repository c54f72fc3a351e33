/** What a gateway under test is asked over the channel to whoever started it. */
export interface InstrumentQuestion {
  readonly ask: 'figures';
  readonly id: number;
}

/** What it has at the moment, after a collection of garbage where that can be asked for. */
export interface InstrumentAnswer {
  readonly id: number;
  /** Timers that keep the process alive. */
  readonly timers: number;
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
}
