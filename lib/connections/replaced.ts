import { CloseCode } from '../protocol/close-code.js';
import type { ConnectionClose } from './loop-connection.js';

/** How a connection ends when a newer one has taken over its identity. */
export const REPLACED: ConnectionClose = {
  code: CloseCode.Replaced,
  reason: 'A newer connection has the same identity.',
};
