import type { LoopConnection, LoopIdentity, LoopRequest } from '../../lib/index.js';

const SCOPES: Readonly<Record<string, readonly string[]>> = {
  all: ['*:*'],
  mine: ['chat:a'],
  paid: ['billing:invoice.paid'],
};

/** Tokens are `account` or `account.scope`: what the bearer may subscribe to. */
export function authenticate({ token = '' }: LoopRequest): LoopIdentity | null {
  const [accountId = '', scope = 'all'] = token.split('.');
  return accountId === '' ? null : { accountId, claims: { scope: SCOPES[scope] } };
}

/** Only that. */
export function authorize({ claims }: LoopConnection, pattern: string): boolean {
  const scope = claims.scope as string[];
  return scope.includes('*:*') || scope.includes(pattern);
}
