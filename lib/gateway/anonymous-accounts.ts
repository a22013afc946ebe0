import { randomUUID } from 'node:crypto';
import type { LoopAuthenticator } from '../loop-ws.options.js';

/**
 * Lets everyone in, each connection as an account of its own: the `account` of the query string if there is one, so
 * that a tab can come back as itself, else a random one. Proves nothing about who is there.
 *
 * @example LoopWsModule.forRoot({ services: ['news'], authenticate: anonymousAccounts() })
 */
export function anonymousAccounts(): LoopAuthenticator {
  return ({ query }) => ({ accountId: query.get('account') || randomUUID() });
}
