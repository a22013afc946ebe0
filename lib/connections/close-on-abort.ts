import { CloseCode } from '../protocol/close-code.js';
import type { LoopConnection } from './loop-connection.js';

/**
 * For work that has changed the connection already: when it is given up, its client learns what became of it only by
 * coming back.
 */
export function closeOnAbort(connection: LoopConnection, signal: AbortSignal): void {
  const close = (): void => connection.close(CloseCode.TryAgainLater, 'It took too long.');
  if (signal.aborted) close();
  else signal.addEventListener('abort', close);
}
