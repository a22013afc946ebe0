import { randomUUID } from 'node:crypto';
import type { LoopAuthenticator } from '../../loop-ws.options.js';

/**
 * Admits every client without checking anything. Each connection gets the account named by the query parameter
 * `account`, so that a browser tab can reconnect as itself, or a random account if the parameter is missing or empty.
 * It proves nothing about who is connecting.
 *
 * @example LoopWsModule.forRoot({ services: ['news'], authenticate: anonymousAccounts() })
 */
export function anonymousAccounts(): LoopAuthenticator {
  return ({ query }) => ({ accountId: query.get('account') || randomUUID() });
}
