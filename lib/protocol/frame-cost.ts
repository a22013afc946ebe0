/** A longer message counts more than once against the rate of its connection. */
export const BYTES_PER_FRAME = 4_096;

/** How often a message of this length counts against the rate: once per 4 KiB or part of it, at least once. */
export function frameCost(bytes: number): number {
  return Math.ceil(bytes / BYTES_PER_FRAME) || 1;
}
