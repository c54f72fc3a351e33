/** What one store did on the disk: numbers that it gave back, or codes of errors. */
export interface StoreReport {
  readonly write: unknown;
  readonly read: unknown;
  /** With room again, without having been opened again. */
  readonly after?: unknown;
  readonly reopened?: unknown;
}

export type SmallDiskReport = Readonly<Record<string, StoreReport>>;
