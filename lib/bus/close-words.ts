import { inspect } from 'node:util';
import { LoopPushError } from '../loop-ws.errors.js';
import { isSendableCloseCode } from '../protocol/close-code.js';

/** A code or reason that no close frame can carry would close connections here, but not on other servers. */
export function requireCloseWords(code: number, reason: string): void {
  if (!isSendableCloseCode(code)) {
    throw new LoopPushError(
      `code is ${inspect(code)}, which a server may not send; pass 1000 or an application code from 3000 to 4999.`,
    );
  }
  if (typeof reason !== 'string') {
    throw new LoopPushError(`reason is of type ${typeof reason}; pass a string, or omit it.`);
  }
}
