import { inspect } from 'node:util';
import { LoopPushError } from '../loop-ws.errors.js';
import { isSendableCloseCode } from '../protocol/close-code.js';

/** What no close frame can carry would close connections here, and not on other servers. */
export function requireCloseWords(code: number, reason: string): void {
  if (!isSendableCloseCode(code)) {
    throw new LoopPushError(
      `code is ${inspect(code)}, which no server may send; pass 1000, or one of your own from 3000 to 4999.`,
    );
  }
  if (typeof reason !== 'string') {
    throw new LoopPushError(`reason is of type ${typeof reason}; pass a text, or leave it out.`);
  }
}
