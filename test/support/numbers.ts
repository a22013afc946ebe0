/** The numbers from 0 on, so many of them. */
export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}
