import { LoopWsBootError } from './loop-ws.errors.js';
import { shown } from './util/shown.js';

/** @param expected Completes "it must be". */
export function invalidOption(option: string, value: unknown, expected: string): LoopWsBootError {
  return new LoopWsBootError(
    `LoopWs: option "${option}" is ${shown(value)}; it must be ${expected}.`,
  );
}
