import type { LoopAuthenticator, LoopAuthorizer } from 'nestjs-loopws';
import { accountId } from '../events.js';

/**
 * A login for this demo ONLY: whoever says "I am acme" is acme, for the token is the account's name.
 * In your application verify the token here (a JWT, a session) and take the account from what you verified.
 */
export const demoLogin: LoopAuthenticator = ({ token }) => {
  const account = accountId.safeParse(token);
  if (!account.success) return null;
  return {
    accountId: account.data,
    claims: { role: account.data === 'ops' ? 'operator' : 'customer' },
  };
};

/** Customers subscribe to services they name; only operators listen across all of them. */
export const maySubscribe: LoopAuthorizer = ({ claims }, pattern) =>
  !pattern.startsWith('*:') || claims.role === 'operator';
