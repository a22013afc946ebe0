import { CloseCode } from '../protocol/close-code.js';
import type { ConnectionClose } from './loop-connection.js';

/** How a connection ends whose identity a newer one has taken over. */
export const REPLACED: ConnectionClose = {
  code: CloseCode.Replaced,
  reason: 'A newer connection has the same identity.',
};
