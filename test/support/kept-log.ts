import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';

type Level = 'verbose' | 'debug' | 'log' | 'warn' | 'error' | 'fatal';

/** Silences these levels of Nest's log and returns an array that their lines are added to, until mocks are restored. */
export function keepLog(...levels: readonly Level[]): string[] {
  const lines: string[] = [];
  for (const level of levels) {
    jest
      .spyOn(Logger.prototype, level)
      .mockImplementation((...line) => void lines.push(line.join(' ')));
  }
  return lines;
}
