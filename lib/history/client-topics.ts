import type { Topic } from '../transport/topic.js';

/** What a client calls a topic. Its own account needs no name, so that no client can ask for another one. */
export function clientNameOf({ kind, name }: Topic): string {
  return kind === 'account' ? kind : `${kind}:${name}`;
}
