/** The image of the so-manieth hibernation. */
export function imageOf(hibernation: number): Uint8Array {
  return new Uint8Array(50_000).fill(hibernation % 251);
}
