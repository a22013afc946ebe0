import type { Topic } from '../transport/topic.js';

/**
 * The name by which a client knows a topic. Its own account is just `account`, so that no client can ask for another
 * account.
 */
export function clientNameOf({ kind, name }: Topic): string {
  return kind === 'account' ? kind : `${kind}:${name}`;
}
