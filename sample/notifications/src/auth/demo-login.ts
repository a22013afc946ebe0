import type { LoopAuthenticator, LoopAuthorizer } from 'nestjs-loopws';
import { accountId } from '../events.js';

/**
 * A login for this demo ONLY: whoever says "I am acme" is acme, for the token is the account's name.
 * In your application verify the token here (a JWT, a session) and take the account from what you verified.
 */
export const demoLogin: LoopAuthenticator = ({ token }) => {
  const account = accountId.safeParse(token);
  if (!account.success) return null;
  return { accountId: account.data, claims: { role: roleOf(account.data) } };
};

type Role = 'customer' | 'operator' | 'watcher';

function roleOf(account: string): Role {
  if (account === 'ops') return 'operator';
  return account === 'watcher' ? 'watcher' : 'customer';
}

const MAY_SUBSCRIBE: Readonly<Record<Role, (pattern: string) => boolean>> = {
  /** Services they name, but not across all of them. */
  customer: (pattern) => !pattern.startsWith('*:'),
  operator: () => true,
  /** The page at `/` logs in as one: it shows who is online, and is nobody's customer. */
  watcher: (pattern) => pattern.startsWith('presence:'),
};

/** Asked for every pattern a client wants, and for the default ones. */
export const maySubscribe: LoopAuthorizer = ({ claims }, pattern) =>
  MAY_SUBSCRIBE[claims.role as Role](pattern);
