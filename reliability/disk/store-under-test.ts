/** One store or cache, as far as its behaviour on a bad disk goes: a number goes in, and has to be there afterwards. */
export interface StoreUnderTest {
  /** Writes a number. Done when it is acknowledged. What it gives back names the place of the number, for {@link read}. */
  write(number: number, place: string): Promise<string>;
  /** The number that is there; 0 for none. @throws Error when what is there is damaged */
  read(place: string): Promise<number>;
  close(): void | Promise<void>;
}

export interface StoreKind {
  readonly name: string;
  /** Whether what was acknowledged must be there afterwards: a cache may have lost it, and must never have it wrong. */
  readonly keeps: boolean;
  /** @param writer - so that several may write to one folder */
  open(folder: string, writer: string): Promise<StoreUnderTest>;
}

/** Thrown where something that was read is not what can have been written. */
export class Damage extends Error {}
