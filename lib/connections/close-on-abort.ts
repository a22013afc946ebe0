import { CloseCode } from '../protocol/close-code.js';
import type { LoopConnection } from './loop-connection.js';

/**
 * For work that has already changed the connection: after an abort, the client learns the outcome only by reconnecting.
 */
export function closeOnAbort(connection: LoopConnection, signal: AbortSignal): void {
  const close = (): void => connection.close(CloseCode.TryAgainLater, 'It took too long.');
  if (signal.aborted) close();
  else signal.addEventListener('abort', close);
}
