import { jest } from '@jest/globals';

/** From now on it is so much later on the clock that timeouts are measured by. `jest.restoreAllMocks` sets it right. */
export function moveClockOn(ms: number): void {
  const now = performance.now.bind(performance);
  jest.spyOn(performance, 'now').mockImplementation(() => now() + ms);
}
