import { LoopPushError } from '../loop-ws.errors.js';
import { isSendableCloseCode } from '../protocol/close-code.js';
import { shown } from '../util/shown.js';

/** A code or reason that no close frame can carry would close connections here, but not on other servers. */
export function requireSendableClose(code: number, reason: string): void {
  if (!isSendableCloseCode(code)) {
    throw new LoopPushError(
      `code is ${shown(code)}, which a server may not send; pass 1000 or an application code from 3000 to 4999.`,
    );
  }
  if (typeof reason !== 'string') {
    throw new LoopPushError(`reason is of type ${typeof reason}; pass a string, or omit it.`);
  }
}
